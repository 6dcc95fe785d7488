/* SPDX-License-Identifier: MIT */
/* marker.h -- what the two tests of collect/mark.c share: a heap, a mutator, and
 * one marker that the test drives */
#ifndef DUSK_TESTS_UNIT_MARKER_H
#define DUSK_TESTS_UNIT_MARKER_H

#include "unit.h"

#include "fixture.h"
#include "collect/mark.h"

static struct dusk_heap *heap;
static struct collector *collector;
static struct dusk_thread *mutator;
static struct dusk_tracer tracer;

static void set_up(void)
{
  heap = fixture_open();
  collector = &heap->collector;
  mutator = fixture_attach(heap);
}

static void tear_down(void)
{
  fixture_handshake(heap, HANDSHAKE_4);
  fixture_detach(mutator);
  fixture_close(heap);
}

static void enter(void)
{
  ck_assert(mark_enter(&tracer, collector));
}

static void push(const void *object)
{
  mark_word(&tracer, (uintptr_t)object);
}

#endif
