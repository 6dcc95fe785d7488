/* SPDX-License-Identifier: MIT */
/* visitor.h -- who may ask */
#ifndef DUSK_INSPECTOR_VISITOR_H
#define DUSK_INSPECTOR_VISITOR_H

#include <stdbool.h>

/* Is the Host of a request this machine's own name, with our port?  NULL: the
 * request has none. */
bool visitor_host_is_ours(const char *host, unsigned port);

/* Does a browser say, by Sec-Fetch-Site, that the page of another site asks?
 * NULL: it says nothing, or is no browser. */
bool visitor_is_other_site(const char *site);

#endif
