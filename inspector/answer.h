/* SPDX-License-Identifier: MIT */
/* answer.h -- answers, each with the headers that all of them have */
#ifndef DUSK_INSPECTOR_ANSWER_H
#define DUSK_INSPECTOR_ANSWER_H

#include <microhttpd.h>
#include <stddef.h>

/* Each queues an answer; MHD_NO: there was no memory, and the connection is
 * closed. */

/* One line that says what is wrong.  405 names the methods that there are. */
enum MHD_Result answer_error(struct MHD_Connection *connection, unsigned status,
                             const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* Bytes that stay where they are: the page. */
enum MHD_Result answer_page(struct MHD_Connection *connection,
                            const void *bytes, size_t count);

/* A string of malloc()'s, which is freed; NULL: no memory was there for it. */
enum MHD_Result answer_text(struct MHD_Connection *connection, const char *type,
                            char *text, size_t length);

/* What is in a file, from its beginning; it is closed.  `filename`: what a
 * browser saves it as; NULL: it shows it. */
enum MHD_Result answer_file(struct MHD_Connection *connection, const char *type,
                            const char *filename, int fd);

#endif
