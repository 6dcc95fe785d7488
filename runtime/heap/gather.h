/* SPDX-License-Identifier: MIT */
/* gather.h -- copying ambiguous words into the grey set
 *
 * Stacks and roots are not kept as copies to be scanned later: the words that
 * could be heap addresses at all are picked out at once, which is one compare a
 * word, and go to raw packets.  That is the copy that PROTOCOL 2 asks for, less
 * what no test could ever keep; measured against memcpy of the whole stack it
 * takes the same time on deep stacks and needs no buffer of the stack's size.
 */
#ifndef DUSK_HEAP_GATHER_H
#define DUSK_HEAP_GATHER_H

#include "heap/arena.h"
#include "heap/grey.h"

/* Copies the words of [from, to) that are heap addresses into *packet, which is
 * never NULL; full packets are handed over as raw.  from and to are aligned to
 * words.  false: there was no packet to go on with; what was gathered until
 * then is in the grey set, which does no harm. */
WARN_UNUSED bool gather(const struct arena *arena, struct grey *grey,
                        struct packet **packet, uintptr_t from, uintptr_t to);

/* The same for the frames of a fake stack (os/tools.h) that words of [from, to)
 * point into: locals that AddressSanitizer keeps elsewhere.  NULL: there is no
 * fake stack. */
WARN_UNUSED bool gather_fake(const struct arena *arena, struct grey *grey,
                             struct packet **packet, void *fake_stack,
                             uintptr_t from, uintptr_t to);

#endif
