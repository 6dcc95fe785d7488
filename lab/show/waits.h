/* SPDX-License-Identifier: MIT */
/* waits.h -- how long threads were delayed, by kind: as numbers, and drawn
 *
 * A row of a drawing is one distribution on a logarithmic axis of time: the
 * darker, the more delays were so long; marks stand at percentiles. */
#ifndef DUSK_LAB_WAITS_H
#define DUSK_LAB_WAITS_H

#include "bench/measure.h"
#include "samples.h"

#include <stdio.h>

struct waits {
  struct measure_histogram *times[SAMPLES_KINDS];
  uint64_t total_ns[SAMPLES_KINDS];
  uint64_t lost;
};

/* The other functions' empty set; ends the program if there is no memory. */
struct waits *waits_create(void);
void waits_destroy(struct waits *waits);

void waits_add(struct waits *waits, const struct samples *samples);

struct waits_row {
  const char *name;
  const struct measure_histogram *times;
  unsigned series; /* its colour */
};

/* A plot of the rows, with its legend; nothing if all are empty. */
void waits_draw(FILE *to, const char *title, const char *label,
                const struct waits_row *rows, size_t count);

/* Nanoseconds for people, such as 12.3 µs; a dash for what is not finite. */
void waits_print_ns(char *text, size_t size, double ns);

/* Prints text at the right of so many columns: UTF-8 has more bytes. */
void waits_print_padded(FILE *to, const char *text, int width);

#endif
