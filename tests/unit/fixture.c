/* SPDX-License-Identifier: MIT */
/* fixture.c -- what several unit tests need */
#include "unit.h"

#include "fixture.h"

#include "collect/cycle.h"
#include "collect/mark.h"
#include "mutator/poll.h"
#include "os/clock.h"
#include "os/vm.h"

#include "dusk/alloc.h"

#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

/* ---- a heap without a driver ---- */

struct dusk_heap *fixture_open(void)
{
  const struct collector_setup setup = {
      .reserve_bytes = (size_t)64 << 20,
      .gc_percent = -1,
      .memory_limit = INT64_MAX,
      .workers = 1, /* the driver, which is the test */
  };
  struct dusk_heap *heap = aligned_alloc(CACHE_LINE, sizeof *heap);
  ck_assert_ptr_nonnull(heap);
  memset(heap, 0, sizeof *heap);
  history_init(&heap->history);
  ck_assert_int_eq(collector_open(&heap->collector, &setup), 0);
  return heap;
}

void fixture_close(struct dusk_heap *heap)
{
  collector_close(&heap->collector);
  history_destroy(&heap->history);
  free(heap);
}

struct dusk_thread *fixture_attach(struct dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  struct dusk_thread *thread = registry_make(&collector->registry);
  ck_assert_ptr_nonnull(thread);
  thread->heap = heap;
  thread->registry = &collector->registry;
  thread->arena = &collector->arena;
  thread->grey = &collector->grey;
  ck_assert_int_eq(thread_enter(thread), 0);
  return thread;
}

void fixture_detach(struct dusk_thread *thread)
{
  struct registry *registry = thread->registry;
  thread_leave(thread);
  registry_spare(registry, thread);
}

void fixture_handshake(struct dusk_heap *heap, enum handshake which)
{
  struct collector *collector = &heap->collector;
  struct registry *registry = &collector->registry;
  if (which == HANDSHAKE_1)
    collector->epoch = registry->joining.epoch;
  handshake_post(collector, which, collector->epoch);
  for (struct dusk_thread *t = registry->first; t; t = t->next)
    poll_serve(t);
  handshake_wait(collector);
  if (which == HANDSHAKE_2)
    STORE_RELEASE(&registry->all_scanned, 1); /* as cycle.c does */
  if (which == HANDSHAKE_4)
    STORE_RELEASE(&registry->all_scanned, 0); /* as cycle.c does */
}

void fixture_begin_marking(struct dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  fixture_handshake(heap, HANDSHAKE_1);
  fixture_handshake(heap, HANDSHAKE_1B);
  fixture_handshake(heap, HANDSHAKE_2);
  for (struct dusk_thread *t = collector->registry.first; t; t = t->next)
    t->log->count = 0;
  grey_discard(&collector->grey);
  grey_open(&collector->grey);
}

void fixture_mark(struct dusk_heap *heap)
{
  struct dusk_tracer tracer;
  grey_open(&heap->collector.grey);
  ck_assert(mark_enter(&tracer, &heap->collector));
  ck_assert(!mark_drain(&tracer, UINT64_MAX));
  mark_leave(&tracer);
  ck_assert(grey_is_empty(&heap->collector.grey));
}

void *fixture_alloc(struct dusk_thread *thread, dusk_kind kind, size_t bytes)
{
  void *object = dusk_alloc(thread, kind, bytes);
  ck_assert_ptr_nonnull(object);
  return object;
}

dusk_kind fixture_layout(struct dusk_heap *heap, size_t size, uint64_t bits,
                         size_t period)
{
  dusk_kind kind;
  dusk_kind_spec spec = DUSK_KIND_INIT;
  spec.scan = DUSK_SCAN_LAYOUT;
  spec.size = size;
  spec.pointers = &bits;
  spec.period = period;
  ck_assert_int_eq(arena_define_kind(&heap->collector.arena, &spec, &kind), 0);
  return kind;
}

/* ---- handing over ---- */

void fixture_hand_over(struct dusk_heap *heap, const void *const *words,
                       size_t count)
{
  struct grey *grey = &heap->collector.grey;
  struct packet *packet = grey_packet(grey);
  ck_assert_ptr_nonnull(packet);
  ck_assert_uint_le(count, PACKET_WORDS);
  for (size_t i = 0; i < count; i++)
    packet->words[packet->count++] = (uintptr_t)words[i];
  grey_hand_over(grey, &grey->raw, packet);
}

/* A packet that cannot be written: the first thing that pushing it does is to
 * write its link, which traps. */
static struct {
  struct grey *grey;
  struct packet *packet;
  pthread_t thread;
  struct sigaction kept;
  uint32_t trapped; /* atomic */
  uint32_t goes_on; /* atomic */
} slow;

static void wait_in_trap(int number)
{
  STORE_RELEASE(&slow.trapped, 1);     /* with fixture_hand_over_begin() */
  while (!LOAD_ACQUIRE(&slow.goes_on)) /* with fixture_hand_over_end() */
    clock_sleep(100 * 1000);
  (void)number;
}

static void *hand_over_main(void *argument)
{
  (void)argument;
  grey_hand_over(slow.grey, &slow.grey->raw, slow.packet);
  return NULL;
}

void fixture_hand_over_begin(struct dusk_heap *heap, const void *word)
{
  struct sigaction trap = {.sa_handler = wait_in_trap};
  memset(&slow, 0, sizeof slow);
  slow.grey = &heap->collector.grey;
  slow.packet = grey_packet(slow.grey);
  ck_assert_ptr_nonnull(slow.packet);
  slow.packet->words[slow.packet->count++] = (uintptr_t)word;
  ck_assert_uint_eq(vm_page_size(), sizeof *slow.packet);
  ck_assert_int_eq(mprotect(slow.packet, sizeof *slow.packet, PROT_READ), 0);
  ck_assert_int_eq(sigaction(SIGSEGV, &trap, &slow.kept), 0);
  ck_assert_int_eq(pthread_create(&slow.thread, NULL, hand_over_main, NULL), 0);
  while (!LOAD_ACQUIRE(&slow.trapped)) /* with wait_in_trap() */
    clock_sleep(100 * 1000);
  ck_assert_int_eq(sigaction(SIGSEGV, &slow.kept, NULL), 0);
}

void fixture_hand_over_end(void)
{
  ck_assert_int_eq(
      mprotect(slow.packet, sizeof *slow.packet, PROT_READ | PROT_WRITE), 0);
  STORE_RELEASE(&slow.goes_on, 1); /* with wait_in_trap() */
  ck_assert_int_eq(pthread_join(slow.thread, NULL), 0);
}

/* ---- what has become of an object ---- */

static size_t granule_of(struct dusk_heap *heap, const void *object)
{
  return arena_granule(&heap->collector.arena, (uintptr_t)object);
}

static struct roles roles_now(struct dusk_heap *heap)
{
  struct collector *collector = &heap->collector;
  return arena_roles(&collector->arena, collector->registry.joining.epoch);
}

bool fixture_is_marked(struct dusk_heap *heap, const void *object)
{
  return bit_test(roles_now(heap).marks, granule_of(heap, object));
}

bool fixture_is_allocated(struct dusk_heap *heap, const void *object)
{
  return bit_test(roles_now(heap).allocated, granule_of(heap, object));
}

/* ---- numbers and threads ---- */

/* Xorshift: Marsaglia 2003. */
uint32_t fixture_random(uint32_t limit)
{
  static _Thread_local uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)((state >> 32) * limit >> 32);
}

enum { THREADS_MAX = 16 };

struct body {
  void (*run)(unsigned index);
  unsigned index;
  pthread_barrier_t *start;
};

static void *body_main(void *argument)
{
  struct body *body = argument;
  pthread_barrier_wait(body->start);
  body->run(body->index);
  return NULL;
}

void fixture_threads(unsigned count, void (*run)(unsigned index))
{
  pthread_t threads[THREADS_MAX];
  struct body bodies[THREADS_MAX];
  pthread_barrier_t start;
  ck_assert_uint_le(count, THREADS_MAX);
  pthread_barrier_init(&start, NULL, count);
  for (unsigned i = 0; i < count; i++) {
    bodies[i] = (struct body){run, i, &start};
    ck_assert_int_eq(pthread_create(&threads[i], NULL, body_main, &bodies[i]),
                     0);
  }
  for (unsigned i = 0; i < count; i++)
    ck_assert_int_eq(pthread_join(threads[i], NULL), 0);
  pthread_barrier_destroy(&start);
}

/* ---- a system that refuses ---- */

struct fixture_vm fixture_vm;
static struct vm_table real;

static bool is_refused(void)
{
  unsigned long call = ++fixture_vm.calls;
  return call >= fixture_vm.first && call - fixture_vm.first < fixture_vm.count;
}

static void *try_map(size_t bytes, bool usable)
{
  void *start = NULL;
  if (!is_refused() && bytes <= fixture_vm.biggest_map)
    start = real.map(bytes, usable);
  fixture_vm.mapped += start ? bytes : 0;
  return start;
}

static int try_unmap(void *start, size_t bytes)
{
  fixture_vm.mapped -= bytes;
  return real.unmap(start, bytes);
}

static int try_make_usable(void *start, size_t bytes)
{
  return is_refused() ? -1 : real.make_usable(start, bytes);
}

static int try_release(void *start, size_t bytes)
{
  fixture_vm.released++;
  return fixture_vm.refuse_release ? -1 : real.release(start, bytes);
}

void fixture_vm_begin(void)
{
  fixture_vm = (struct fixture_vm){.biggest_map = SIZE_MAX};
  real = vm_system;
  vm_system.map = try_map;
  vm_system.unmap = try_unmap;
  vm_system.make_usable = try_make_usable;
  vm_system.release = try_release;
}

void fixture_vm_refuse(unsigned long first, unsigned long count)
{
  fixture_vm.calls = 0;
  fixture_vm.first = first;
  fixture_vm.count = count;
}

void fixture_vm_end(void)
{
  vm_system = real;
}

/* ---- stderr ---- */

static int kept_stderr;
static int pipe_ends[2];

void fixture_stderr_begin(void)
{
  ck_assert_int_eq(pipe(pipe_ends), 0);
  kept_stderr = dup(STDERR_FILENO);
  ck_assert_int_ge(kept_stderr, 0);
  ck_assert_int_eq(dup2(pipe_ends[1], STDERR_FILENO), STDERR_FILENO);
  close(pipe_ends[1]);
}

const char *fixture_stderr_end(void)
{
  static char text[8192];
  size_t length = 0;
  ssize_t got;
  ck_assert_int_eq(dup2(kept_stderr, STDERR_FILENO), STDERR_FILENO);
  close(kept_stderr);
  while ((got = read(pipe_ends[0], text + length, sizeof text - 1 - length)) >
         0)
    length += (size_t)got;
  close(pipe_ends[0]);
  text[length] = '\0';
  return text;
}
