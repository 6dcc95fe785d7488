/* SPDX-License-Identifier: MIT */
/* retention.h -- what is alive through one place alone */
#ifndef DUSK_INSPECT_RETENTION_H
#define DUSK_INSPECT_RETENTION_H

#include "collect/heap.h"

/* Writes the report, in a halt.  Returns 0, ENOMEM or EIO. */
int retention_write(struct dusk_heap *heap, int fd);

/* A report that a thread waits for. */
struct retention_request {
  int fd;
  int error; /* what came of it */
  struct retention_request *next;
};

/* The thread asks for a report and waits for the cycle that writes it. */
int retention_ask(struct dusk_thread *thread, int fd);

/* The driver: requests that nobody has answered; answering them, in a halt. */
bool retention_is_asked(struct dusk_heap *heap);
void retention_answer(struct dusk_heap *heap);

#endif
