/* SPDX-License-Identifier: MIT */
/* heapprofile.c -- the heap profile and the lifetime profile, for pprof
 *
 *   sites (a copy), their stacks, the kinds' names --> pprof
 *
 * Any thread; stops nobody.  Tested by tests/api/profile.c. */
#include "report/heapprofile.h"

#include "event/sampling.h"
#include "os/block.h"
#include "report/pprof.h"

#include <math.h>
#include <stdio.h>

/* What both have: adds the samples of one site. */
typedef void put_site(struct pprof *pprof, const struct profile *profile,
                      const struct site *site, const char *kind);

struct form {
  const struct pprof_type *types;
  unsigned count;
  unsigned shown;
  put_site *put;
};

static uint64_t rounded(double number)
{
  return number > 0 ? (uint64_t)llround(number) : 0;
}

static const uintptr_t *stack_of(const struct profile *profile,
                                 const struct site *site, unsigned *count)
{
  *count = 0;
  return site->stack ? depot_stack(&profile->depot, site->stack, count) : NULL;
}

/* ---- the heap profile ---- */

static const struct pprof_type heap_types[] = {
    {"alloc_objects", "count"},
    {"alloc_space", "bytes"},
    {"inuse_objects", "count"},
    {"inuse_space", "bytes"},
};
enum { HEAP_TYPES = 4, HEAP_SHOWN = 3 };

static void put_heap_site(struct pprof *pprof, const struct profile *profile,
                          const struct site *site, const char *kind)
{
  unsigned count;
  const uintptr_t *pcs = stack_of(profile, site, &count);
  double bytes = (double)site->bytes;
  double in_use = site->allocated - site_died(site);
  const uint64_t values[HEAP_TYPES] = {
      rounded(site->allocated),
      rounded(site->allocated * bytes),
      rounded(in_use),
      rounded(in_use * bytes),
  };
  const struct pprof_label labels[] = {
      {.key = "bytes", .number = site->bytes},
      {.key = "kind", .text = kind},
  };
  if (values[0])
    pprof_sample(pprof, pcs, count, values, HEAP_TYPES, labels, 2);
}

/* ---- the lifetime profile ---- */

static const struct pprof_type life_types[] = {
    {"died_young_objects", "count"},
    {"died_young_space", "bytes"},
    {"died_objects", "count"},
    {"died_space", "bytes"},
    {"cycles", "count"},
};
enum { LIFE_TYPES = 5, LIFE_SHOWN = 1 };

/* The cycles of an age, of which a site has the sum alone: those of the ages
 * that are one number are known, and the rest is shared out by their deaths. */
static double cycles_in(const struct site *site, unsigned age)
{
  double least = 0;
  for (unsigned a = 0; a < SITE_AGES; a++)
    least += site->died[a] * site_age_cycles(a);
  double mine = site->died[age] * site_age_cycles(age);
  return least > 0 ? mine * (site->cycles / least) : 0;
}

static void put_age(struct pprof *pprof, const struct profile *profile,
                    const struct site *site, const char *kind, unsigned age)
{
  unsigned count;
  const uintptr_t *pcs = stack_of(profile, site, &count);
  double died = site->died[age];
  double bytes = died * (double)site->bytes;
  const uint64_t values[LIFE_TYPES] = {
      age ? 0 : rounded(died), age ? 0 : rounded(bytes),      rounded(died),
      rounded(bytes),          rounded(cycles_in(site, age)),
  };
  char survived[16];
  snprintf(survived, sizeof survived, "%u%s", site_age_cycles(age),
           age < 2 ? "" : "+");
  const struct pprof_label labels[] = {
      {.key = "bytes", .number = site->bytes},
      {.key = "kind", .text = kind},
      {.key = "survived", .text = survived},
  };
  if (values[2])
    pprof_sample(pprof, pcs, count, values, LIFE_TYPES, labels, 3);
}

static void put_life_site(struct pprof *pprof, const struct profile *profile,
                          const struct site *site, const char *kind)
{
  for (unsigned age = 0; age < SITE_AGES; age++)
    put_age(pprof, profile, site, kind, age);
}

/* ---- both ---- */

static const char *kind_name(const struct kinds *kinds, uint32_t number,
                             char *text, size_t size)
{
  const struct kind *kind = kind_find(kinds, number);
  if (kind && kind->name && *kind->name)
    return kind->name;
  snprintf(text, size, "kind %u", number);
  return text;
}

static void put_sites(struct pprof *pprof, const struct arena *arena,
                      const struct form *form, const struct site *sites,
                      uint32_t count)
{
  const struct profile *profile = &arena->profile;
  char name[32];
  for (uint32_t i = 0; i < count; i++) {
    unsigned frames;
    const uintptr_t *pcs = stack_of(profile, &sites[i], &frames);
    pprof_addresses(pprof, pcs, frames);
  }
  pprof_locate(pprof);
  for (uint32_t i = 0; i < count; i++)
    form->put(pprof, profile, &sites[i],
              kind_name(&arena->kinds, sites[i].kind, name, sizeof name));
}

static int write_form(struct dusk_heap *heap, const struct form *form, int fd)
{
  struct arena *arena = &heap->collector.arena;
  struct profile *profile = &arena->profile;
  struct pprof pprof;
  uint32_t count;
  int error;
  struct site *sites = profile_read(profile, &count, &error);
  if (error)
    return error;
  uint64_t rate = profile_rate(profile);
  pprof_begin(&pprof, form->types, form->count, form->shown,
              rate ? rate : SAMPLING_RATE);
  put_sites(&pprof, arena, form, sites, count);
  uint64_t lost = LOAD_RELAXED(&profile->lost);
  if (lost) {
    char text[64];
    snprintf(text, sizeof text, "%llu samples are missing: no memory",
             (unsigned long long)lost);
    pprof_comment(&pprof, text);
  }
  error = pprof_write(&pprof, fd);
  pprof_end(&pprof);
  block_free(sites);
  return error;
}

int heapprofile_write(struct dusk_heap *heap, int fd)
{
  static const struct form form = {heap_types, HEAP_TYPES, HEAP_SHOWN,
                                   put_heap_site};
  return write_form(heap, &form, fd);
}

int heapprofile_write_lifetimes(struct dusk_heap *heap, int fd)
{
  static const struct form form = {life_types, LIFE_TYPES, LIFE_SHOWN,
                                   put_life_site};
  return write_form(heap, &form, fd);
}
