/* SPDX-License-Identifier: MIT */
/* retention.c -- what is alive through one place alone
 *
 *   words outside the heap --> groups: a frame, registers, a root
 *                          --> labels, once by group and once by word
 *                          --> bytes of each group, and of its largest words
 *
 *   words of conservative objects: first all is labelled that can be reached
 *   without them; what is left hangs from them alone
 *
 * A pointer tends to stand in several words of a frame, so a frame's words
 * count together.  Words below the program's frames are registers that the
 * library's functions have saved.
 *
 * ASKING   A request hangs in heap->reports until the driver takes it: release
 * by who asks, acquire by the driver; the end of the cycle publishes the
 * answer.
 *
 * Tested by tests/unit/retention.c, tests/api/retention.c and
 * tests/mistakes.sh. */
#include "inspect/retention.h"

#include "base/bits.h"
#include "collect/cycle.h"
#include "heap/origin.h"
#include "inspect/labels.h"
#include "inspect/place.h"
#include "mutator/poll.h"
#include "os/symbol.h"
#include "os/vm.h"

#include <errno.h>
#include <stdarg.h>
#include <stdio.h>

enum { WORD = sizeof(uintptr_t) };
enum { GROUPS_SHOWN = 10, WORDS_SHOWN = 3, BAR = 20 };

/* A word that names an object. */
struct word {
  uintptr_t address;
  uint32_t group;
  uint32_t objects;
  uint64_t bytes;
};

/* What is cleared together: it is reported together. */
struct group {
  struct place place;
  const struct frame *frame; /* of a stack; NULL: not known */
  uint64_t bytes;
  uint32_t objects;
  uint32_t shown;
};

struct retention {
  struct dusk_heap *heap;
  const struct arena *arena;
  struct roles roles;
  int fd;
  bool failed;        /* to write */
  size_t capacity;    /* of both */
  size_t words_count; /* the first has number 1, as labels do */
  size_t groups_count;
  struct word *words;
  struct group *groups;
  uint64_t bytes; /* alive */
  uint64_t objects;
  const struct labels *labels; /* that are being summed up */
};

static void print(struct retention *r, const char *format, ...)
    PRINTF_LIKE(2, 3);
static void print(struct retention *r, const char *format, ...)
{
  va_list args;
  va_start(args, format);
  if (vdprintf(r->fd, format, args) < 0)
    r->failed = true;
  va_end(args);
}

/* ---- words and their groups ---- */

static bool names_object(const struct retention *r, uintptr_t address,
                         struct thing *thing)
{
  return thing_find(r->arena, thing_word(address), thing) &&
         thing_is_marked(thing, r->roles);
}

static void count_words(void *context, const struct place *place)
{
  struct retention *r = context;
  struct thing thing;
  for (uintptr_t at = place->start; at < place->end; at += WORD)
    r->capacity += names_object(r, at, &thing);
}

static struct group group_of(const struct place *place, uintptr_t address)
{
  struct group group = {.place = *place};
  if (place->kind != PLACE_STACK)
    return group;
  if (address < place->thread->entry_sp)
    group.place.kind = PLACE_REGISTERS;
  else
    group.frame = place_frame(place, address);
  return group;
}

static bool is_same(const struct group *a, const struct group *b)
{
  return a->place.kind == b->place.kind && a->place.thread == b->place.thread &&
         a->frame == b->frame &&
         (a->place.thread || a->place.start == b->place.start);
}

static void note_words(void *context, const struct place *place)
{
  struct retention *r = context;
  struct thing thing;
  for (uintptr_t at = place->start; at < place->end; at += WORD) {
    if (r->words_count == r->capacity || !names_object(r, at, &thing))
      continue;
    struct group group = group_of(place, at);
    if (!r->groups_count || !is_same(&group, &r->groups[r->groups_count - 1]))
      r->groups[r->groups_count++] = group;
    r->words[r->words_count++] =
        (struct word){.address = at, .group = (uint32_t)r->groups_count - 1};
  }
}

/* ---- sums ---- */

static void add_to_word(void *context, const struct thing *thing)
{
  struct retention *r = context;
  uint32_t label = labels_of(r->labels, thing);
  if (label == LABEL_NONE || label == LABEL_MANY)
    return;
  r->words[label - 1].bytes += thing->bytes;
  r->words[label - 1].objects++;
}

static void add_to_group(void *context, const struct thing *thing)
{
  struct retention *r = context;
  uint32_t label = labels_of(r->labels, thing);
  if (thing_is_marked(thing, r->roles)) {
    r->bytes += thing->bytes;
    r->objects++;
  }
  if (label == LABEL_NONE || label == LABEL_MANY)
    return;
  r->groups[label - 1].bytes += thing->bytes;
  r->groups[label - 1].objects++;
}

static bool label_all(struct retention *r, bool by_group)
{
  struct labels labels;
  struct thing thing;
  if (!labels_open(&labels, r->arena, r->roles))
    return false;
  for (size_t i = 0; i < r->words_count; i++) {
    uint32_t number = by_group ? r->words[i].group : (uint32_t)i;
    if (names_object(r, r->words[i].address, &thing))
      labels_spread(&labels, &thing, number + 1);
  }
  r->labels = &labels;
  thing_each(r->arena, r->roles, by_group ? add_to_group : add_to_word, r);
  labels_close(&labels);
  return true;
}

/* ---- text ---- */

static void print_amount(struct retention *r, uint64_t bytes, uint32_t objects)
{
  char bar[BAR + 1];
  uint64_t part = r->bytes ? bytes * BAR / r->bytes : 0;
  for (unsigned i = 0; i < BAR; i++)
    bar[i] = i < part ? '#' : '.';
  bar[BAR] = '\0';
  print(r, "%12llu %8u %5.1f %% %s  ", (unsigned long long)bytes, objects,
        r->bytes ? 100.0 * (double)bytes / (double)r->bytes : 0.0, bar);
}

static void print_group(struct retention *r, const struct group *group)
{
  char text[512];
  unsigned long long number =
      group->place.thread ? group->place.thread->life.number : 0;
  if (group->place.kind == PLACE_REGISTERS) {
    print(r, "thread %llu, registers\n", number);
  } else if (group->place.kind != PLACE_STACK) {
    place_print(r->heap, group->place.start, text, sizeof text);
    print(r, "%s\n", text);
  } else if (group->frame) {
    symbol_print(group->frame->pc, text, sizeof text);
    print(r, "thread %llu, %s\n", number, text);
  } else {
    print(r, "thread %llu, a frame that is not known\n", number);
  }
}

/* What the word names, and who made that. */
static void print_target(struct retention *r, uintptr_t address)
{
  struct thing thing;
  char text[512];
  uintptr_t pcs[1];
  if (!names_object(r, address, &thing))
    return;
  thing_print(&thing, text, sizeof text);
  print(r, "-> %s", text);
  if (origin_stack(r->arena, thing.start, pcs, 1)) {
    symbol_print(pcs[0], text, sizeof text);
    print(r, ", allocated by %s", text);
  }
  print(r, "\n");
}

static void print_words(struct retention *r, uint32_t group)
{
  for (unsigned shown = 0; shown < WORDS_SHOWN; shown++) {
    struct word *largest = NULL;
    for (size_t i = 0; i < r->words_count; i++)
      if (r->words[i].group == group && r->words[i].bytes &&
          (!largest || r->words[i].bytes > largest->bytes))
        largest = &r->words[i];
    if (!largest)
      return;
    print(r, "%12llu %8u   word at 0x%zx ", (unsigned long long)largest->bytes,
          largest->objects, (size_t)largest->address);
    print_target(r, largest->address);
    largest->bytes = 0;
  }
}

static struct group *largest_group(struct retention *r)
{
  struct group *largest = NULL;
  for (size_t i = 0; i < r->groups_count; i++) {
    struct group *group = &r->groups[i];
    if (!group->shown && group->bytes &&
        (!largest || group->bytes > largest->bytes))
      largest = group;
  }
  return largest;
}

static void print_groups(struct retention *r)
{
  struct group *group;
  print(r, "%12s %8s   share\n", "bytes", "objects");
  for (unsigned i = 0; i < GROUPS_SHOWN && (group = largest_group(r)); i++) {
    group->shown = 1;
    print_amount(r, group->bytes, group->objects);
    print_group(r, group);
    print_words(r, (uint32_t)(group - r->groups));
  }
}

/* ---- conservative objects ---- */

static void count_ambiguous(void *context, const struct thing *holder,
                            uintptr_t slot, bool precise)
{
  struct retention *r = context;
  struct thing thing;
  (void)holder;
  r->capacity += !precise && names_object(r, slot, &thing);
}

static void note_ambiguous(void *context, const struct thing *holder,
                           uintptr_t slot, bool precise)
{
  struct retention *r = context;
  struct thing thing;
  (void)holder;
  if (!precise && r->words_count < r->capacity && names_object(r, slot, &thing))
    r->words[r->words_count++] = (struct word){.address = slot};
}

static void count_in(void *context, const struct thing *thing)
{
  struct retention *r = context;
  if (labels_of(r->labels, thing))
    thing_slots(thing, count_ambiguous, r);
}

static void note_in(void *context, const struct thing *thing)
{
  struct retention *r = context;
  if (labels_of(r->labels, thing))
    thing_slots(thing, note_ambiguous, r);
}

/* What can be reached without a word of a conservative object. */
static void label_precise(struct retention *r, struct labels *labels)
{
  struct thing thing;
  labels->precise_only = true;
  for (size_t i = 0; i < r->words_count; i++)
    if (names_object(r, r->words[i].address, &thing))
      labels_spread(labels, &thing, 1);
}

/* ---- room ---- */

static size_t words_bytes(const struct retention *r)
{
  return align_up((r->capacity + 1) * sizeof *r->words, vm_page_size());
}

static size_t groups_bytes(const struct retention *r)
{
  return align_up((r->capacity + 1) * sizeof *r->groups, vm_page_size());
}

static bool make_room(struct retention *r)
{
  r->words = vm_map(words_bytes(r));
  r->groups = vm_map(groups_bytes(r));
  return r->words && r->groups;
}

static void free_room(struct retention *r)
{
  if (r->words)
    vm_unmap(r->words, words_bytes(r));
  if (r->groups)
    vm_unmap(r->groups, groups_bytes(r));
  r->words = NULL;
  r->groups = NULL;
  r->words_count = r->groups_count = r->capacity = 0;
}

/* Slots of conservative objects that can be reached otherwise are the places;
 * what they lead to and nothing else does is theirs. */
static bool write_ambiguous(struct retention *r, const struct labels *precise)
{
  struct labels labels;
  struct thing thing;
  r->labels = precise;
  thing_each(r->arena, r->roles, count_in, r);
  if (!make_room(r) || !labels_open(&labels, r->arena, r->roles))
    return false;
  thing_each(r->arena, r->roles, note_in, r);
  labels.except = precise;
  for (size_t i = 0; i < r->words_count; i++)
    if (names_object(r, r->words[i].address, &thing))
      labels_spread(&labels, &thing, (uint32_t)i + 1);
  r->labels = &labels;
  thing_each(r->arena, r->roles, add_to_word, r);
  labels_close(&labels);
  return true;
}

static void print_ambiguous(struct retention *r)
{
  print(r, "alive through one word of a conservative object alone:\n");
  print(r, "%12s %8s   share\n", "bytes", "objects");
  for (unsigned shown = 0; shown < GROUPS_SHOWN; shown++) {
    struct word *largest = NULL;
    struct thing holder;
    char text[512];
    for (size_t i = 0; i < r->words_count; i++)
      if (r->words[i].bytes && (!largest || r->words[i].bytes > largest->bytes))
        largest = &r->words[i];
    if (!largest || !thing_find(r->arena, largest->address, &holder))
      return;
    print_amount(r, largest->bytes, largest->objects);
    thing_print(&holder, text, sizeof text);
    print(r, "slot +%zu of %s ", (size_t)(largest->address - holder.start),
          text);
    print_target(r, largest->address);
    largest->bytes = 0;
  }
}

/* ---- all of it ---- */

static bool write_all(struct retention *r)
{
  struct labels precise;
  place_each(r->heap, count_words, r);
  if (!make_room(r))
    return false;
  place_each(r->heap, note_words, r);
  if (!label_all(r, true) || !label_all(r, false) ||
      !labels_open(&precise, r->arena, r->roles))
    return false;
  print(r,
        "retention: %llu bytes in %llu objects are alive in heap %p; alive "
        "through one place alone:\n",
        (unsigned long long)r->bytes, (unsigned long long)r->objects,
        (void *)r->heap);
  print_groups(r);
  label_precise(r, &precise);
  free_room(r);
  bool done = write_ambiguous(r, &precise);
  if (done)
    print_ambiguous(r);
  labels_close(&precise);
  return done;
}

int retention_write(struct dusk_heap *heap, int fd)
{
  struct collector *collector = &heap->collector;
  struct retention r = {
      .heap = heap,
      .arena = &collector->arena,
      .roles = arena_roles(&collector->arena, collector->epoch),
      .fd = fd,
  };
  bool done = write_all(&r);
  free_room(&r);
  if (!done)
    return ENOMEM;
  return r.failed ? EIO : 0;
}

int retention_ask(struct dusk_thread *thread, int fd)
{
  struct dusk_heap *heap = thread->heap;
  struct collector *collector = &heap->collector;
  struct retention_request request = {.fd = fd, .error = ENOMEM};
  request.next = LOAD_RELAXED(&heap->reports);
  while (!CAS_RELEASE(&heap->reports, &request.next, &request)) /* answer */
    ;
  thread->framed = true;
  poll_go_outside(thread, CALLER_SP());
  cycle_await(collector, cycle_ask(collector, true));
  poll_come_back(thread);
  thread->framed = false;
  return request.error;
}

bool retention_is_asked(struct dusk_heap *heap)
{
  return LOAD_RELAXED(&heap->reports) != NULL;
}

void retention_answer(struct dusk_heap *heap)
{
  /* With retention_ask(). */
  struct retention_request *request =
      __atomic_exchange_n(&heap->reports, NULL, __ATOMIC_ACQUIRE);
  while (request) {
    struct retention_request *next = request->next;
    request->error = retention_write(heap, request->fd);
    request = next;
  }
}
