/* SPDX-License-Identifier: MIT */
/* world.h -- a small heap, a few mutators, and a list of what they may reach
 *
 * Each mutator does what a string of bytes says: four bytes an act.  The world
 * remembers every object and where every pointer may be: in its root blocks,
 * and in the `hold` of each mutator, an array on its stack.  As all run on one
 * pthread, it can be looked through at any point as if it stood still:
 *
 *   .alive   what can be reached is an object, with its seal
 *   .marked  and has its mark when marking is over
 *   .freed   what cannot be reached once all have left is gone after two cycles
 */
#ifndef DUSK_TESTS_STEPS_WORLD_H
#define DUSK_TESTS_STEPS_WORLD_H

#include "base/compiler.h"

#include "dusk.h"

enum {
  WORLD_HOLDS = 4,
  WORLD_ROOTS = 3,
  WORLD_BLOCK = 2, /* words of a mutator's own root block */
  WORLD_MUTATORS = 24,
  WORLD_STARTED = 8, /* of those, at least, are left to the body */
  WORLD_OBJECTS = 8192,
  WORLD_KINDS = 6,
};

/* What an object begins with; its slots come next. */
struct node {
  uintptr_t tag;  /* its number in the world, twice, plus one */
  uintptr_t seal; /* the complement of its address */
  void *slots[];
};

struct mutator {
  dusk_thread *thread;  /* NULL: not attached */
  void *volatile *hold; /* on its stack; NULL: it has not begun, or is over */
  void *block[WORLD_BLOCK];
  bool block_is_root;
  uintptr_t given; /* complement of what its parent hands it */
  bool has_taken;  /* that: the parent need not keep it */
  const uint8_t *acts;
  size_t bytes;
  unsigned fiber;
};

struct object_record {
  uintptr_t hidden; /* complement of the address */
  uint8_t kind;
};

struct world {
  dusk_heap *heap;
  dusk_kind kinds[WORLD_KINDS];
  void *roots[WORLD_ROOTS];
  struct mutator mutators[WORLD_MUTATORS];
  unsigned count;      /* of mutators that were ever begun */
  unsigned over;       /* of those, how many are */
  unsigned collecting; /* the thread that collects; 0: none */
  struct object_record objects[WORLD_OBJECTS];
  uint32_t made;
  bool reached[WORLD_OBJECTS];
  uint32_t queue[WORLD_OBJECTS];
};
extern struct world world;

/* In a body.  Opens the heap. */
void world_open(unsigned flags);

/* Lets one more mutator do these acts. */
void world_start(const uint8_t *acts, size_t bytes);

/* One thread more, that collects as long as there are mutators. */
void world_collect(void);

/* Waits for all, sees what is left and what is gone, and closes the heap. */
void world_close(void);

/* .alive, and .marked where that is asked. */
void world_check(bool marked);

/* A new object in the world's list; NULL: no memory, or no room there. */
struct node *world_make(struct mutator *mutator, unsigned kind);

size_t world_slots(const struct node *node);

/* world_acts.c: what a mutator does with its bytes. */
void world_act_all(struct mutator *mutator);
void world_attach(struct mutator *mutator);
void world_detach(struct mutator *mutator);

#endif
