/* SPDX-License-Identifier: MIT */
/* filename.h -- names of files from the environment */
#ifndef DUSK_REPORT_FILENAME_H
#define DUSK_REPORT_FILENAME_H

#include "base/compiler.h"

enum { FILENAME_BYTES = 4096 };

/* The name with each "%p" replaced by the process's number.  false: it is too
 * long. */
bool filename_expand(char *to, size_t room, const char *name);

#endif
