/* SPDX-License-Identifier: MIT */
/* fixture.h -- what several unit tests need: a heap in which nothing happens by
 * itself, threads, a system that refuses, and the lines that go to stderr
 *
 * Every program of tests/unit is linked with fixture.c. */
#ifndef DUSK_TESTS_UNIT_FIXTURE_H
#define DUSK_TESTS_UNIT_FIXTURE_H

#include "collect/handshake.h"
#include "collect/heap.h"

/* ---- a heap without a driver ---- */

/* Opens a heap of 64 MiB in which no thread runs: a test takes the steps of a
 * cycle itself.  Automatic collection is off. */
struct dusk_heap *fixture_open(void);
void fixture_close(struct dusk_heap *heap);

/* Attaches a mutator.  The calling pthread may have several, and each serves
 * its handshakes by itself: interleavings of threads without threads. */
struct dusk_thread *fixture_attach(struct dusk_heap *heap);
void fixture_detach(struct dusk_thread *thread);

/* Posts a step and has all mutators serve it; all belong to the caller. */
void fixture_handshake(struct dusk_heap *heap, enum handshake which);

/* Takes a cycle to its marking.  What the stacks hold is forgotten, so that the
 * test alone says what is reached: nothing is grey, the door is open, and what
 * is allocated from here on is black. */
void fixture_begin_marking(struct dusk_heap *heap);

/* Marks what the grey set leads to, with one marker; then nothing is grey. */
void fixture_mark(struct dusk_heap *heap);

/* Allocates; NULL fails the test. */
void *fixture_alloc(struct dusk_thread *thread, dusk_kind kind, size_t bytes);

/* Defines a kind of `size` bytes with pointers in the words that `bits` names;
 * size 0: of any size, with the bits again and again, `period` words apart. */
dusk_kind fixture_layout(struct dusk_heap *heap, size_t size, uint64_t bits,
                         size_t period);

/* Hands a packet over with these words, as a thread does with its log. */
void fixture_hand_over(struct dusk_heap *heap, const void *const *words,
                       size_t count);

/* The same for one word, stopped half-way: between them, the hand-over has been
 * announced and the packet is in no list. */
void fixture_hand_over_begin(struct dusk_heap *heap, const void *word);
void fixture_hand_over_end(void);

/* Bits of the running cycle. */
bool fixture_is_marked(struct dusk_heap *heap, const void *object);
bool fixture_is_allocated(struct dusk_heap *heap, const void *object);

/* ---- numbers and threads ---- */

/* Below `limit`; the same sequence in each test. */
uint32_t fixture_random(uint32_t limit);

/* Runs body(0) to body(count - 1), each in a thread, all at once; count <= 16.
 */
void fixture_threads(unsigned count, void (*body)(unsigned index));

/* ---- a system that refuses ---- */

struct fixture_vm {
  unsigned long calls; /* to map and make_usable, since fixture_vm_refuse() */
  unsigned long first; /* the first of them that is refused, from 1 */
  unsigned long count; /* how many are */
  size_t biggest_map;  /* larger ones are refused always */
  size_t mapped;       /* bytes, less what has been unmapped */
  unsigned long released; /* calls to release */
  bool refuse_release;
};
extern struct fixture_vm fixture_vm;

/* Counts from here on, and refuses nothing yet. */
void fixture_vm_begin(void);
void fixture_vm_refuse(unsigned long first, unsigned long count);
void fixture_vm_end(void);

/* ---- stderr ---- */

/* What is written to stderr in between, as a string that is valid until the
 * next begin. */
void fixture_stderr_begin(void);
const char *fixture_stderr_end(void);

#endif
