/* SPDX-License-Identifier: MIT */
/* heap.c -- dusk-lab heap: what a snapshot holds, and what has changed between
 * two
 *
 *   objects      the file        json  a stream of it
 *   dominators   what retains what
 *   kinds        sums by kind, and differences
 *
 * Tested by tests/lab/heap.sh. */
#include "lab/lab.h"
#include "lab/option.h"
#include "lab/show/value.h"
#include "lab/heap/kinds.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

enum { TOP_MAX = 100000 };
enum { KEY_TOP = 256, KEY_HELP };

static const struct option known[] = {{"top", required_argument, NULL, KEY_TOP},
                                      {"help", no_argument, NULL, KEY_HELP},
                                      {NULL, 0, NULL, 0}};

static const char help_text[] =
    "usage: dusk-lab heap [OPTION]... SNAPSHOT\n"
    "       dusk-lab heap [OPTION]... BEFORE AFTER\n"
    "\n"
    "Says what a heap snapshot holds, as dusk_write_snapshot() writes it: "
    "what\n"
    "the roots and the largest objects retain, and sums by kind; or, of two\n"
    "snapshots of one heap, what has come and gone, by kind.\n"
    "\n"
    "  --top N  so many lines of each table at most (20)\n";

struct request {
  const char *files[2];
  int count;
  uint64_t top;
};

static void read_request(struct request *request, int argc, char **argv)
{
  int key;
  *request = (struct request){.top = 20};
  opterr = 0;
  while ((key = getopt_long(argc, argv, ":", known, NULL)) != -1) {
    if (key < 256)
      option_refuse("heap", known, key, argv);
    if (key == KEY_HELP) {
      fputs(help_text, stdout);
      exit(EXIT_SUCCESS);
    }
    if (!value_read_number(optarg, 1, TOP_MAX, &request->top))
      lab_refuse("heap: --top: '%s' is not a number from 1 to %d", optarg,
                 TOP_MAX);
  }
  request->count = argc - optind;
  if (request->count < 1 || request->count > 2)
    lab_refuse("heap: one snapshot, or two; `dusk-lab heap --help` says more");
  for (int i = 0; i < request->count; i++)
    request->files[i] = argv[optind + i];
}

static void read_snapshot(const char *path, struct objects *objects,
                          struct dominators *dominators)
{
  char message[512];
  if (!objects_read(path, objects, message, sizeof message))
    lab_fail("heap: %s", message);
  if (!dominators_find(objects, dominators))
    lab_fail("heap: no memory for %s", path);
}

/* A name may be anything; a line is a line. */
static void print_name(const char *name)
{
  for (; *name; name++)
    putchar((unsigned char)*name < ' ' ? '?' : *name);
}

static double share(uint64_t part, uint64_t all)
{
  return all ? 100.0 * (double)part / (double)all : 0;
}

/* ---- what retains most ---- */

struct shown {
  struct objects objects;
  struct dominators dominators;
  struct kind_sums sums;
  bool *strays;
};

struct retainer {
  uint32_t node;
  uint64_t retained;
};

static int compare_retainers(const void *a, const void *b)
{
  const struct retainer *x = a, *y = b;
  if (x->retained != y->retained)
    return x->retained < y->retained ? 1 : -1;
  return x->node < y->node ? -1 : x->node > y->node;
}

/* Roots: what has no bytes of its own.  Objects: not each link of a list, but
 * the one that it begins with; where it ends in something large, that too. */
static bool is_wanted(const struct shown *shown, uint32_t node, bool roots)
{
  const struct objects *objects = &shown->objects;
  const uint64_t *retained = shown->dominators.retained;
  uint32_t above = shown->dominators.of[node];
  if (above == DOMINATED_BY_NONE || !retained[node] || shown->strays[node])
    return false;
  if (roots)
    return !kinds_is_object(objects, node) &&
           objects->nodes[node].type == objects->native;
  return kinds_is_object(objects, node) &&
         (!kinds_is_object(objects, above) ||
          retained[node] < retained[above] / 2);
}

static void print_retainer(const struct shown *shown, uint32_t node)
{
  const struct objects *objects = &shown->objects;
  const struct object *object = &objects->nodes[node];
  uint64_t retained = shown->dominators.retained[node];
  uint32_t above = shown->dominators.of[node];
  printf("%14" PRIu64 " %5.1f %%  ", retained,
         share(retained, shown->sums.all.bytes));
  print_name(objects_name(objects, node));
  if (kinds_is_object(objects, node))
    printf(" @%" PRIu64 ", %" PRIu64 " bytes", object->id, object->bytes);
  if (above != 0 && *objects_name(objects, above)) {
    printf(", in ");
    print_name(objects_name(objects, above));
    if (kinds_is_object(objects, above))
      printf(" @%" PRIu64, objects->nodes[above].id);
  }
  putchar('\n');
}

static void print_retainers(const struct shown *shown, uint64_t top, bool roots)
{
  const struct dominators *dominators = &shown->dominators;
  size_t count = 0;
  struct retainer *all = malloc((dominators->reached + 1) * sizeof *all);
  if (!all)
    lab_fail("heap: no memory for a list");
  for (size_t i = 0; i < dominators->reached; i++) {
    uint32_t node = dominators->order[i];
    if (is_wanted(shown, node, roots))
      all[count++] = (struct retainer){node, dominators->retained[node]};
  }
  qsort(all, count, sizeof *all, compare_retainers);
  printf("\n%14s %5s    %s\n", "retains", "share",
         roots ? "roots: what would go if nothing in them were held"
               : "objects: what would go with this one");
  for (size_t i = 0; i < count && i < top; i++)
    print_retainer(shown, all[i].node);
  if (count > top)
    printf("%14s %zu more\n", "", count - (size_t)top);
  free(all);
}

/* ---- by kind ---- */

static void print_kinds(const struct kind_sums *sums, uint64_t top)
{
  printf("\n%12s %14s %14s   kind\n", "objects", "bytes", "retains");
  for (size_t i = 0; i < sums->count && i < top; i++) {
    const struct kind_sum *sum = &sums->sums[i];
    printf("%12" PRIu64 " %14" PRIu64 " %14" PRIu64 "   ", sum->objects,
           sum->bytes, sum->retained);
    print_name(sum->name);
    putchar('\n');
  }
  if (sums->count > top)
    printf("%12s %zu more\n", "", sums->count - (size_t)top);
}

static void show_one(const struct request *request)
{
  struct shown shown;
  const struct kind_sums *sums = &shown.sums;
  read_snapshot(request->files[0], &shown.objects, &shown.dominators);
  shown.strays = kinds_find_strays(&shown.objects, &shown.dominators);
  if (!shown.strays ||
      !kinds_sum(&shown.objects, &shown.dominators, &shown.sums))
    lab_fail("heap: no memory for sums");
  printf("%" PRIu64 " objects, %" PRIu64 " bytes\n", sums->all.objects,
         sums->all.bytes);
  if (sums->strays.objects)
    printf("not reached: %" PRIu64 " objects, %" PRIu64
           " bytes more (allocated or let go while the cycle ran)\n",
           sums->strays.objects, sums->strays.bytes);
  print_retainers(&shown, request->top, true);
  print_retainers(&shown, request->top, false);
  print_kinds(sums, request->top);
  kinds_free(&shown.sums);
  free(shown.strays);
  dominators_free(&shown.dominators);
  objects_free(&shown.objects);
}

/* ---- two ---- */

static void print_change(const struct kind_change *change, const char *name)
{
  printf("%12" PRIu64 " %12" PRIu64 " %10" PRIu64 " %10" PRIu64 " %+14" PRId64
         "   ",
         change->objects[0], change->objects[1], change->made, change->gone,
         (int64_t)(change->bytes[1] - change->bytes[0]));
  print_name(name);
  putchar('\n');
}

static bool is_changed(const struct kind_change *change)
{
  return change->made || change->gone || change->bytes[0] != change->bytes[1];
}

static void show_two(const struct request *request)
{
  struct objects objects[2];
  struct dominators dominators[2];
  struct kind_changes changes;
  uint64_t shown = 0, same = 0, left = 0;
  for (int i = 0; i < 2; i++)
    read_snapshot(request->files[i], &objects[i], &dominators[i]);
  if (!kinds_compare(objects, dominators, &changes))
    lab_fail("heap: no memory for a comparison");
  printf("%12s %12s %10s %10s %14s   kind\n", "before", "after", "new", "gone",
         "bytes");
  for (size_t i = 0; i < changes.count; i++) {
    const struct kind_change *change = &changes.changes[i];
    if (!is_changed(change))
      same++;
    else if (shown++ < request->top)
      print_change(change, change->name);
    else
      left++;
  }
  print_change(&changes.all, "all");
  if (left)
    printf("%12s %" PRIu64 " more\n", "", left);
  if (same)
    printf("%" PRIu64 " kinds are as they were\n", same);
  kinds_free_changes(&changes);
  for (int i = 0; i < 2; i++) {
    dominators_free(&dominators[i]);
    objects_free(&objects[i]);
  }
}

int lab_heap(int argc, char **argv)
{
  struct request request;
  read_request(&request, argc, argv);
  if (request.count == 1)
    show_one(&request);
  else
    show_two(&request);
  return EXIT_SUCCESS;
}
