/* SPDX-License-Identifier: MIT */
/* serve.c -- what a request is answered with
 *
 * First who asks, then how, then for what.  What the heap writes goes into a
 * file without a name first, so that a failure is an answer of its own and not
 * the end of one that began well.
 *
 * Runs on a thread of the connection; several may be here for one heap.
 *
 * Tested by tests/inspector.sh. */
#include "inspector/serve.h"

#include "inspector/answer.h"
#include "inspector/page.h"
#include "inspector/server.h"
#include "inspector/state.h"
#include "inspector/visitor.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* What the heap writes by itself. */
static const struct file {
  const char *path;
  const char *type;
  const char *filename; /* what it is saved as; NULL: it is shown */
  int (*write)(dusk_heap *heap, int fd);
} files[] = {
    {"/debug/pprof/heap", "application/octet-stream", "heap.pb.gz",
     dusk_write_heap_profile},
    /* The same file, where Go's users look for it. */
    {"/debug/pprof/allocs", "application/octet-stream", "allocs.pb.gz",
     dusk_write_heap_profile},
    {"/debug/pprof/lifetime", "application/octet-stream", "lifetime.pb.gz",
     dusk_write_lifetime_profile},
    {"/debug/timeline", "application/json", "timeline.json",
     dusk_write_timeline},
    {"/debug/snapshot", "application/json", "dusk.heapsnapshot",
     dusk_write_snapshot},
    {"/metrics", "application/openmetrics-text; version=1.0.0; charset=utf-8",
     NULL, dusk_write_openmetrics},
};

/* A file without a name: on a disk if there is room, since snapshots are large,
 * and else in memory.  -1: errno says why not. */
static int open_scratch(void)
{
  const char *folder = getenv("TMPDIR");
  int fd = open(folder && *folder ? folder : "/tmp",
                O_TMPFILE | O_RDWR | O_CLOEXEC | O_EXCL, 0600);
  return fd >= 0 ? fd : memfd_create("dusk-inspector", MFD_CLOEXEC);
}

static enum MHD_Result answer_failure(struct MHD_Connection *connection,
                                      const char *path, int error)
{
  /* What another time may be there, and what is wrong. */
  bool passes = error == EAGAIN || error == ENOMEM || error == EMFILE ||
                error == ENFILE;
  return answer_error(connection,
                      passes ? MHD_HTTP_SERVICE_UNAVAILABLE
                             : MHD_HTTP_INTERNAL_SERVER_ERROR,
                      "%s could not be written: %s.%s", path, strerror(error),
                      passes ? "  Try again when the system has more to give."
                      : error == EIO
                          ? "  Is there room for files in TMPDIR or /tmp?"
                          : "");
}

static enum MHD_Result serve_file(const struct dusk_inspector *inspector,
                                  struct MHD_Connection *connection,
                                  const struct file *file)
{
  int fd = open_scratch();
  if (fd < 0)
    return answer_failure(connection, file->path, errno);
  int error = file->write(inspector->heap, fd);
  if (error) {
    close(fd);
    return answer_failure(connection, file->path, error);
  }
  return answer_file(connection, file->type, file->filename, fd);
}

static enum MHD_Result serve_state(const struct dusk_inspector *inspector,
                                   struct MHD_Connection *connection)
{
  const char *since = MHD_lookup_connection_value(
      connection, MHD_GET_ARGUMENT_KIND, "since");
  size_t length;
  char *text =
      state_text(inspector, since ? strtoull(since, NULL, 10) : 0, &length);
  return answer_text(connection, "application/json", text, length);
}

static enum MHD_Result serve_path(const struct dusk_inspector *inspector,
                                  struct MHD_Connection *connection,
                                  const char *path)
{
  if (strcmp(path, "/") == 0)
    return answer_page(connection, page_bytes, page_count);
  if (visitor_is_other_site(MHD_lookup_connection_value(
          connection, MHD_HEADER_KIND, "Sec-Fetch-Site")))
    return answer_error(connection, MHD_HTTP_FORBIDDEN,
                        "The page of another site may not ask for this.");
  if (strcmp(path, "/debug/state.json") == 0)
    return serve_state(inspector, connection);
  for (size_t i = 0; i < sizeof files / sizeof *files; i++) {
    if (strcmp(path, files[i].path) == 0)
      return serve_file(inspector, connection, &files[i]);
  }
  return answer_error(connection, MHD_HTTP_NOT_FOUND,
                      "There is nothing at this address; / has links to all "
                      "that there is.");
}

enum MHD_Result serve(void *closure, struct MHD_Connection *connection,
                      const char *path, const char *method, const char *version,
                      const char *body, size_t *body_bytes, void **state)
{
  const struct dusk_inspector *inspector = closure;
  (void)version, (void)body, (void)body_bytes, (void)state;
  const char *host =
      MHD_lookup_connection_value(connection, MHD_HEADER_KIND, "Host");
  if (!visitor_host_is_ours(host, inspector->port))
    return answer_error(connection, MHD_HTTP_FORBIDDEN,
                        "This server answers to http://127.0.0.1:%u/ and "
                        "http://localhost:%u/ only.",
                        inspector->port, inspector->port);
  if (strcmp(method, MHD_HTTP_METHOD_GET) != 0 &&
      strcmp(method, MHD_HTTP_METHOD_HEAD) != 0)
    return answer_error(connection, MHD_HTTP_METHOD_NOT_ALLOWED,
                        "This server only shows: the method is GET or HEAD.");
  return serve_path(inspector, connection, path);
}
