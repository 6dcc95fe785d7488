/* SPDX-License-Identifier: MIT */
/* visitor.c -- who may ask
 *
 * Only this machine can connect; but a browser on it runs the scripts of any
 * site.  What they can do to a server on this machine is this:
 *
 *   a name of theirs   whose address they change to 127.0.0.1 (DNS rebinding):
 *                      to the browser we are then their site, and they may read
 *                      all answers.  It sends their name as the Host, by which
 *                      we know.
 *   a request          from their page to our address: they may not read the
 *                      answer, but what is costly would be done.  Browsers say
 *                      so in Sec-Fetch-Site.
 *
 * Tested by tests/inspector.sh. */
#include "inspector/visitor.h"

#include <stddef.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

enum { HTTP_PORT = 80 }; /* which a browser leaves out */

bool visitor_host_is_ours(const char *host, unsigned port)
{
  static const char *const names[] = {"127.0.0.1", "localhost", "[::1]"};
  for (size_t i = 0; host && i < sizeof names / sizeof *names; i++) {
    size_t length = strlen(names[i]);
    if (strncasecmp(host, names[i], length) != 0)
      continue;
    const char *rest = host + length;
    if (!*rest)
      return port == HTTP_PORT;
    char *end;
    if (*rest != ':' || rest[1] < '0' || rest[1] > '9')
      return false;
    return strtoul(rest + 1, &end, 10) == port && !*end;
  }
  return false;
}

bool visitor_is_other_site(const char *site)
{
  return site && strcmp(site, "same-origin") != 0 && strcmp(site, "none") != 0;
}
