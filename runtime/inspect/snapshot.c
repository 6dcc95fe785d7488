/* SPDX-License-Identifier: MIT */
/* snapshot.c -- a copy of the process looks at the heap, while the program goes
 * on
 *
 *   asker      request -------------------------> waits for the cycle,
 *   driver     ... mark   notes   begins child    H4, census ...
 *   child                              `-> reads its copy, writes, ends
 *   asker                                  waits for the child, ends the file
 *
 * WHAT THE COPY IS.  A fork copies memory so that of each thread all is there
 * that it had done before some moment, and what another did because of that
 * only with it; api/fork.c lives by that as well.  Marking is over and barriers
 * are on: so what is marked is all that is alive, nothing has been freed, and
 * no pointer of a living object leads elsewhere.  The driver has the registry's
 * and the roots' locks, so those lists are whole.  All else the child reads
 * without a lock, as thing.c does anyway.
 *
 * WHAT THE PROGRAM PAYS.  While the system copies the tables of its pages, who
 * wants memory from the system waits; afterwards the first store to each page
 * copies it, for as long as the child lives.  Nobody is stopped.
 *
 * ASKING   A request hangs in heap->snapshots until the driver takes it:
 * release by who asks, acquire by the driver; the end of the cycle publishes
 * the answer.
 *
 * Tested by tests/api/snapshot.c. */
#include "inspect/snapshot.h"

#include "base/bits.h"
#include "collect/crew.h"
#include "collect/cycle.h"
#include "inspect/snapfile.h"
#include "inspect/why.h"
#include "os/child.h"
#include "os/clock.h"
#include "os/vm.h"

#include <errno.h>

enum { LOOK_NS = 1000 * 1000 };

/* ---- the child ---- */

static int look(struct dusk_heap *heap, const struct noted *noted,
                const struct segments *segments,
                struct snapshot_request *request)
{
  struct holders holders;
  if (noted->is_short || !holders_make(&holders, heap, noted, segments))
    return ENOMEM;
  return request->why ? why_find(heap, &holders, request)
                      : snapfile_write(heap, &holders, request);
}

static _Noreturn void be_child(struct dusk_heap *heap,
                               const struct noted *noted,
                               const struct segments *segments,
                               struct snapshot_request *request)
{
  child_settle(request->why ? -1 : request->fd);
  request->answer->error = look(heap, noted, segments, request);
  STORE_RELEASE(&request->answer->done, 1); /* with read_answer() */
  child_end(0);
}

/* ---- the driver ---- */

bool snapshot_is_asked(struct dusk_heap *heap)
{
  return LOAD_RELAXED(&heap->snapshots) != NULL;
}

static struct snapshot_request *take(struct dusk_heap *heap)
{
  /* With hang(). */
  return __atomic_exchange_n(&heap->snapshots, NULL, __ATOMIC_ACQUIRE);
}

static void make_child(struct dusk_heap *heap, const struct noted *noted,
                       const struct segments *segments,
                       struct snapshot_request *request)
{
  struct collector *collector = &heap->collector;
  lock_acquire(&collector->registry.lock);
  lock_acquire(&collector->roots.lock);
  int child = child_begin();
  if (child == 0)
    be_child(heap, noted, segments, request);
  lock_release(&collector->roots.lock);
  lock_release(&collector->registry.lock);
  request->child = child;
}

void snapshot_answer(struct dusk_heap *heap)
{
  struct noted noted;
  struct snapshot_request *request = take(heap);
  size_t bytes = align_up(sizeof(struct segments), vm_page_size());
  struct segments *segments = vm_map(bytes);
  noted_gather(heap, &noted);
  if (segments && heap->collector.roots.data_segments)
    segments_read(segments);
  while (request) {
    struct snapshot_request *next = request->next;
    if (segments)
      make_child(heap, &noted, segments, request);
    else
      request->child = -ENOMEM;
    request = next;
  }
  noted_release(heap, &noted);
  if (segments)
    vm_unmap(segments, bytes);
}

/* ---- who asks ---- */

static void hang(struct dusk_heap *heap, struct snapshot_request *request)
{
  request->next = LOAD_RELAXED(&heap->snapshots);
  while (!CAS_RELEASE(&heap->snapshots, &request->next, request)) /* take() */
    ;
}

/* Nobody runs cycles.  false: somebody has taken it after all. */
static bool withdraw(struct dusk_heap *heap, struct snapshot_request *request)
{
  bool found = false;
  struct snapshot_request *other = take(heap);
  while (other) {
    struct snapshot_request *next = other->next;
    if (other == request)
      found = true;
    else
      hang(heap, other);
    other = next;
  }
  return found;
}

static void await_child(struct dusk_heap *heap,
                        struct snapshot_request *request)
{
  struct collector *collector = &heap->collector;
  hang(heap, request);
  cycle_await(collector, cycle_ask(collector, true));
  while (!LOAD_RELAXED(&request->child)) {
    if (!crew_is_there(collector) && withdraw(heap, request))
      request->child = -EAGAIN;
    else
      clock_sleep(LOOK_NS);
  }
}

/* What the child wrote says more than its status, which a program that waits
 * for anything at all may have got in our place. */
static int read_answer(struct snapshot_request *request)
{
  const struct answer *answer = request->answer;
  child_wait(request->child);
  return LOAD_ACQUIRE(&answer->done) ? answer->error : EIO; /* be_child() */
}

int snapshot_ask(struct dusk_heap *heap, struct snapshot_request *request)
{
  size_t bytes = align_up(sizeof(struct answer), vm_page_size());
  request->child = 0;
  request->answer = child_share(bytes);
  if (!request->answer)
    return ENOMEM;
  await_child(heap, request);
  int error = request->child < 0 ? -request->child : read_answer(request);
  if (!error)
    error = request->why ? why_print(request) : snapfile_end(request);
  child_unshare(request->answer, bytes);
  return error;
}
