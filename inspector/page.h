/* SPDX-License-Identifier: MIT */
/* page.h -- page.html, as the build has turned it into C */
#ifndef DUSK_INSPECTOR_PAGE_H
#define DUSK_INSPECTOR_PAGE_H

#include <stddef.h>

extern const unsigned char page_bytes[];
extern const size_t page_count;

#endif
