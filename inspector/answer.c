/* SPDX-License-Identifier: MIT */
/* answer.c -- answers, each with the headers that all of them have
 *
 * Nothing is kept by a browser, read as anything but what it is, or shown or
 * loaded by the page of another site; and the page itself loads nothing from
 * elsewhere.
 *
 * Tested by tests/inspector.sh. */
#include "inspector/answer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

static const char policy[] =
    "default-src 'none'; script-src 'unsafe-inline'; style-src 'unsafe-inline'; "
    "img-src data:; connect-src 'self'; base-uri 'none'; form-action 'none'; "
    "frame-ancestors 'none'";

/* Takes the response, which may be NULL. */
static enum MHD_Result answer(struct MHD_Connection *connection,
                              unsigned status, const char *type,
                              struct MHD_Response *response)
{
  static const char *const headers[][2] = {
      {"Cache-Control", "no-store"},
      {"X-Content-Type-Options", "nosniff"},
      {"Cross-Origin-Resource-Policy", "same-origin"},
      {"Referrer-Policy", "no-referrer"},
      {"Content-Security-Policy", policy},
  };
  if (!response)
    return MHD_NO;
  enum MHD_Result result = MHD_add_response_header(response, "Content-Type",
                                                   type);
  for (size_t i = 0; i < sizeof headers / sizeof *headers && result; i++)
    result = MHD_add_response_header(response, headers[i][0], headers[i][1]);
  if (result && status == MHD_HTTP_METHOD_NOT_ALLOWED)
    result = MHD_add_response_header(response, "Allow", "GET, HEAD");
  if (result)
    result = MHD_queue_response(connection, status, response);
  MHD_destroy_response(response); /* ours; the connection has its own */
  return result;
}

enum MHD_Result answer_error(struct MHD_Connection *connection, unsigned status,
                             const char *format, ...)
{
  char line[512];
  va_list arguments;
  va_start(arguments, format);
  int length = vsnprintf(line, sizeof line - 1, format, arguments);
  va_end(arguments);
  if (length < 0)
    return MHD_NO;
  if ((size_t)length > sizeof line - 2)
    length = sizeof line - 2;
  line[length++] = '\n';
  return answer(connection, status, "text/plain; charset=utf-8",
                MHD_create_response_from_buffer((size_t)length, line,
                                                MHD_RESPMEM_MUST_COPY));
}

enum MHD_Result answer_page(struct MHD_Connection *connection,
                            const void *bytes, size_t count)
{
  return answer(connection, MHD_HTTP_OK, "text/html; charset=utf-8",
                MHD_create_response_from_buffer(count, (void *)bytes,
                                                MHD_RESPMEM_PERSISTENT));
}

enum MHD_Result answer_text(struct MHD_Connection *connection, const char *type,
                            char *text, size_t length)
{
  if (!text)
    return answer_error(connection, MHD_HTTP_SERVICE_UNAVAILABLE,
                        "There is no memory for the answer; try again.");
  struct MHD_Response *response =
      MHD_create_response_from_buffer(length, text, MHD_RESPMEM_MUST_FREE);
  if (!response)
    free(text);
  return answer(connection, MHD_HTTP_OK, type, response);
}

enum MHD_Result answer_file(struct MHD_Connection *connection, const char *type,
                            const char *filename, int fd)
{
  struct stat file;
  struct MHD_Response *response =
      fstat(fd, &file)
          ? NULL
          : MHD_create_response_from_fd64((uint64_t)file.st_size, fd);
  if (!response) {
    close(fd);
    return MHD_NO;
  }
  if (filename) {
    char disposition[128];
    snprintf(disposition, sizeof disposition, "attachment; filename=\"%s\"",
             filename);
    MHD_add_response_header(response, "Content-Disposition", disposition);
  }
  return answer(connection, MHD_HTTP_OK, type, response);
}
