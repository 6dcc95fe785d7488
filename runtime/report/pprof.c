/* SPDX-License-Identifier: MIT */
/* pprof.c -- a profile in the form that pprof reads
 *
 * Addresses are those of calls, a return address less one: pprof looks up the
 * line of what it is given.  A function's number is that of its name's string.
 * Mappings do not say that their functions are named, so that a pprof which
 * finds the files looks lines up by itself, inlined functions too; without them
 * it has our names.
 *
 * Any thread; memory is of blocks, and a profile without memory is `failed`.
 *
 * Tested by tests/unit/pprof.c, tests/api/profile.c and tests/pprof.sh. */
#include "report/pprof.h"

#include "os/block.h"
#include "os/clock.h"
#include "os/file.h"
#include "os/gzip.h"
#include "os/module.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Fields of profile.proto, by message. */
enum {
  PROFILE_sample_type = 1,
  PROFILE_sample = 2,
  PROFILE_mapping = 3,
  PROFILE_location = 4,
  PROFILE_function = 5,
  PROFILE_string_table = 6,
  PROFILE_time_nanos = 9,
  PROFILE_period_type = 11,
  PROFILE_period = 12,
  PROFILE_comment = 13,
  PROFILE_default_sample_type = 14,

  VALUE_TYPE_type = 1,
  VALUE_TYPE_unit = 2,

  SAMPLE_location_id = 1,
  SAMPLE_value = 2,
  SAMPLE_label = 3,

  LABEL_key = 1,
  LABEL_str = 2,
  LABEL_num = 3,

  MAPPING_id = 1,
  MAPPING_memory_start = 2,
  MAPPING_memory_limit = 3,
  MAPPING_file_offset = 4,
  MAPPING_filename = 5,
  MAPPING_build_id = 6,

  LOCATION_id = 1,
  LOCATION_mapping_id = 2,
  LOCATION_address = 3,
  LOCATION_line = 4,

  LINE_function_id = 1,

  FUNCTION_id = 1,
  FUNCTION_name = 2,
  FUNCTION_system_name = 3,
};

enum { STACK_MAX = 64 };

/* ---- strings, each once, by number ---- */

struct pprof_string {
  uint64_t hash;
  size_t at; /* in the fields */
  uint32_t bytes;
  uint32_t number; /* 0: the slot is free */
  bool is_function;
};

static uint64_t hash_of(const char *text)
{
  uint64_t hash = UINT64_C(0xcbf29ce484222325); /* FNV-1a */
  for (; *text; text++)
    hash = (hash ^ (unsigned char)*text) * UINT64_C(0x100000001b3);
  return hash ^ hash >> 32;
}

/* The string's slot, or the free one where it belongs. */
static struct pprof_string *find(const struct pprof_strings *strings,
                                 const char *text, uint64_t hash)
{
  size_t bytes = strlen(text);
  size_t i = hash & (strings->room - 1);
  for (; strings->slots[i].number; i = (i + 1) & (strings->room - 1)) {
    const struct pprof_string *slot = &strings->slots[i];
    if (slot->hash == hash && slot->bytes == bytes &&
        memcmp(strings->wire.bytes + slot->at, text, bytes) == 0)
      break;
  }
  return &strings->slots[i];
}

/* Twice the slots: at least twice as many as strings. */
static bool grow(struct pprof_strings *strings)
{
  size_t room = strings->room ? 2 * strings->room : 256;
  struct pprof_string *slots = block_make(room * sizeof *slots);
  if (!slots)
    return false;
  for (size_t old = 0; old < strings->room; old++) {
    size_t i = strings->slots[old].hash & (room - 1);
    while (slots[i].number)
      i = (i + 1) & (room - 1);
    if (strings->slots[old].number)
      slots[i] = strings->slots[old];
  }
  block_free(strings->slots);
  strings->slots = slots;
  strings->room = room;
  return true;
}

/* NULL: no memory. */
static struct pprof_string *intern(struct pprof *pprof, const char *text)
{
  struct pprof_strings *strings = &pprof->strings;
  uint64_t hash = hash_of(text);
  if (2 * strings->count >= strings->room && !grow(strings))
    pprof->failed = true;
  if (pprof->failed || strings->wire.failed)
    return NULL;
  struct pprof_string *slot = find(strings, text, hash);
  if (slot->number)
    return slot;
  pb_element(&strings->wire, PROFILE_string_table, text);
  if (strings->wire.failed)
    return NULL;
  slot->hash = hash;
  slot->bytes = (uint32_t)strlen(text);
  slot->at = strings->wire.length - slot->bytes;
  slot->number = (uint32_t)++strings->count;
  return slot;
}

static uint64_t string(struct pprof *pprof, const char *text)
{
  const struct pprof_string *slot = *text ? intern(pprof, text) : NULL;
  return slot ? slot->number : 0;
}

/* ---- the head ---- */

static void put_type(struct pprof *pprof, unsigned field, const char *name,
                     const char *unit)
{
  size_t begun = pb_begin(&pprof->wire);
  pb_number(&pprof->wire, VALUE_TYPE_type, string(pprof, name));
  pb_number(&pprof->wire, VALUE_TYPE_unit, string(pprof, unit));
  pb_end(&pprof->wire, field, begun);
}

void pprof_begin(struct pprof *pprof, const struct pprof_type *types,
                 unsigned count, unsigned shown, uint64_t period)
{
  *pprof = (struct pprof){0};
  pb_element(&pprof->strings.wire, PROFILE_string_table, "");
  for (unsigned i = 0; i < count; i++)
    put_type(pprof, PROFILE_sample_type, types[i].name, types[i].unit);
  pb_number(&pprof->wire, PROFILE_time_nanos, clock_wall());
  put_type(pprof, PROFILE_period_type, "space", "bytes");
  pb_number(&pprof->wire, PROFILE_period, period);
  pb_number(&pprof->wire, PROFILE_default_sample_type,
            string(pprof, types[shown].name));
}

void pprof_comment(struct pprof *pprof, const char *text)
{
  pb_number(&pprof->wire, PROFILE_comment, string(pprof, text));
}

/* ---- addresses, functions, mappings ---- */

void pprof_addresses(struct pprof *pprof, const uintptr_t *pcs, unsigned count)
{
  if (pprof->address_room - pprof->address_count < count) {
    size_t room = pprof->address_room ? 2 * pprof->address_room : 4096;
    uintptr_t *grown = block_resize(pprof->addresses, room * sizeof *grown);
    if (!grown || count > room - pprof->address_count) {
      pprof->addresses = grown ? grown : pprof->addresses;
      pprof->failed = true;
      return;
    }
    pprof->addresses = grown;
    pprof->address_room = room;
  }
  for (unsigned i = 0; i < count; i++)
    pprof->addresses[pprof->address_count++] = pcs[i] - 1;
}

static int compare(const void *left, const void *right)
{
  uintptr_t a = *(const uintptr_t *)left, b = *(const uintptr_t *)right;
  return (a > b) - (a < b);
}

static void sort_addresses(struct pprof *pprof)
{
  size_t kept = 0;
  if (!pprof->address_count)
    return;
  qsort(pprof->addresses, pprof->address_count, sizeof *pprof->addresses,
        compare);
  for (size_t i = 0; i < pprof->address_count; i++)
    if (!kept || pprof->addresses[i] != pprof->addresses[kept - 1])
      pprof->addresses[kept++] = pprof->addresses[i];
  pprof->address_count = kept;
}

/* Numbers begin at 1; 0: not known. */
static uint64_t location_of(const struct pprof *pprof, uintptr_t address)
{
  if (!pprof->address_count)
    return 0;
  const uintptr_t *found =
      bsearch(&address, pprof->addresses, pprof->address_count,
              sizeof *pprof->addresses, compare);
  return found ? (uint64_t)(found - pprof->addresses) + 1 : 0;
}

static void note_function(void *context, size_t i, const char *name)
{
  struct pprof *pprof = context;
  struct pprof_string *slot = intern(pprof, name);
  if (slot)
    pprof->functions[i] = slot->number;
  if (!slot || slot->is_function)
    return;
  slot->is_function = true;
  size_t begun = pb_begin(&pprof->wire);
  pb_number(&pprof->wire, FUNCTION_id, slot->number);
  pb_number(&pprof->wire, FUNCTION_name, slot->number);
  pb_number(&pprof->wire, FUNCTION_system_name, slot->number);
  pb_end(&pprof->wire, PROFILE_function, begun);
}

static void put_mapping(struct pprof *pprof, const struct module *module,
                        uint64_t number)
{
  size_t begun = pb_begin(&pprof->wire);
  pb_number(&pprof->wire, MAPPING_id, number);
  pb_number(&pprof->wire, MAPPING_memory_start, module->start);
  pb_number(&pprof->wire, MAPPING_memory_limit, module->end);
  pb_number(&pprof->wire, MAPPING_file_offset, module->offset);
  pb_number(&pprof->wire, MAPPING_filename, string(pprof, module->path));
  pb_number(&pprof->wire, MAPPING_build_id, string(pprof, module->build_id));
  pb_end(&pprof->wire, PROFILE_mapping, begun);
}

static uint64_t mapping_of(const struct module *modules, size_t count,
                           uintptr_t address)
{
  for (size_t i = 0; i < count; i++)
    if (address >= modules[i].start && address < modules[i].end)
      return i + 1;
  return 0;
}

static void put_location(struct pprof *pprof, size_t i, uint64_t mapping)
{
  size_t begun = pb_begin(&pprof->wire);
  pb_number(&pprof->wire, LOCATION_id, i + 1);
  pb_number(&pprof->wire, LOCATION_mapping_id, mapping);
  pb_number(&pprof->wire, LOCATION_address, pprof->addresses[i]);
  if (pprof->functions[i]) {
    size_t line = pb_begin(&pprof->wire);
    pb_number(&pprof->wire, LINE_function_id, pprof->functions[i]);
    pb_end(&pprof->wire, LOCATION_line, line);
  }
  pb_end(&pprof->wire, PROFILE_location, begun);
}

void pprof_locate(struct pprof *pprof)
{
  size_t count;
  struct module *modules = modules_read(&count);
  sort_addresses(pprof);
  pprof->functions =
      block_make((pprof->address_count + 1) * sizeof *pprof->functions);
  if (!modules || !pprof->functions) {
    pprof->failed = true;
    block_free(modules);
    return;
  }
  for (size_t i = 0; i < count; i++) {
    put_mapping(pprof, &modules[i], i + 1);
    module_functions(&modules[i], pprof->addresses, pprof->address_count,
                     note_function, pprof);
  }
  for (size_t i = 0; i < pprof->address_count; i++)
    put_location(pprof, i, mapping_of(modules, count, pprof->addresses[i]));
  block_free(modules);
}

/* ---- samples ---- */

static void put_label(struct pprof *pprof, const struct pprof_label *label)
{
  size_t begun = pb_begin(&pprof->wire);
  pb_number(&pprof->wire, LABEL_key, string(pprof, label->key));
  if (label->text)
    pb_number(&pprof->wire, LABEL_str, string(pprof, label->text));
  else
    pb_number(&pprof->wire, LABEL_num, label->number);
  pb_end(&pprof->wire, SAMPLE_label, begun);
}

void pprof_sample(struct pprof *pprof, const uintptr_t *pcs, unsigned count,
                  const uint64_t *values, unsigned value_count,
                  const struct pprof_label *labels, unsigned label_count)
{
  uint64_t locations[STACK_MAX];
  unsigned located = 0;
  for (unsigned i = 0; i < count && i < STACK_MAX; i++)
    if ((locations[located] = location_of(pprof, pcs[i] - 1)))
      located++;
  size_t begun = pb_begin(&pprof->wire);
  pb_packed(&pprof->wire, SAMPLE_location_id, locations, located);
  pb_packed(&pprof->wire, SAMPLE_value, values, value_count);
  for (unsigned i = 0; i < label_count; i++)
    put_label(pprof, &labels[i]);
  pb_end(&pprof->wire, PROFILE_sample, begun);
}

/* ---- out ---- */

int pprof_write(struct pprof *pprof, int fd)
{
  size_t length;
  pb_append(&pprof->wire, &pprof->strings.wire);
  if (pprof->failed || pprof->wire.failed)
    return ENOMEM;
  void *packed = gzip_pack(pprof->wire.bytes, pprof->wire.length, &length);
  if (gzip_is_there() && !packed)
    return ENOMEM;
  int error = packed ? file_write(fd, packed, length)
                     : file_write(fd, pprof->wire.bytes, pprof->wire.length);
  block_free(packed);
  return -error;
}

void pprof_end(struct pprof *pprof)
{
  pb_free(&pprof->wire);
  pb_free(&pprof->strings.wire);
  block_free(pprof->strings.slots);
  block_free(pprof->addresses);
  block_free(pprof->functions);
}
