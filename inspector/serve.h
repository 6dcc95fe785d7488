/* SPDX-License-Identifier: MIT */
/* serve.h -- what a request is answered with */
#ifndef DUSK_INSPECTOR_SERVE_H
#define DUSK_INSPECTOR_SERVE_H

#include <microhttpd.h>
#include <stddef.h>

/* For MHD_start_daemon(); `inspector` is a struct dusk_inspector. */
enum MHD_Result serve(void *inspector, struct MHD_Connection *connection,
                      const char *path, const char *method, const char *version,
                      const char *body, size_t *body_bytes, void **state);

#endif
