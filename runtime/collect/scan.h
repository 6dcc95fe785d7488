/* SPDX-License-Identifier: MIT */
/* scan.h -- reading one object: its pointers are marked */
#ifndef DUSK_COLLECT_SCAN_H
#define DUSK_COLLECT_SCAN_H

#include "collect/mark.h"

/* Reads the words of [start, end), a whole object or a piece of one, as the
 * object's kind says.  A piece begins at a multiple of scan_piece_bytes() from
 * the object's start. */
void scan_range(struct dusk_tracer *tracer, const struct kind *kind,
                uintptr_t start, uintptr_t end);

/* Objects longer than this are read in pieces of it, so that markers share
 * them and none answers late; 0: the kind is read whole. */
size_t scan_piece_bytes(const struct kind *kind);

#endif
