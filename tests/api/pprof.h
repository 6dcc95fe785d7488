/* SPDX-License-Identifier: MIT */
/* pprof.h -- a reader of profiles, which knows profile.proto and nothing of the
 * library; packed ones are unpacked by gzip(1) */
#ifndef DUSK_TESTS_PPROF_H
#define DUSK_TESTS_PPROF_H

#include "api.h"

enum { TYPES_MAX = 8, STACK_DEEPEST = 64 };

struct pb_field {
  unsigned number;
  uint64_t varint;      /* its value, or the length of: */
  const uint8_t *bytes; /* NULL: it is a number */
};

struct text {
  const char *start;
  size_t length;
};

struct read_sample {
  uint64_t locations[STACK_DEEPEST];
  unsigned depth;
  uint64_t values[TYPES_MAX];
  unsigned value_count;
  uint64_t kind, survived; /* strings */
  uint64_t bytes;
};

struct read_mapping {
  uint64_t id, start, limit, offset, file, build_id;
};

struct read_profile {
  uint8_t *packed, *data;
  size_t packed_length, length;
  struct text *strings;
  size_t string_count;
  uint64_t types[TYPES_MAX], units[TYPES_MAX];
  unsigned type_count;
  uint64_t shown, period, period_type, period_unit, time_nanos;
  struct read_sample *samples;
  size_t sample_count;
  uint64_t (*locations)[3]; /* address, mapping, function; by number */
  size_t location_count;
  uint64_t *function_names; /* by number */
  size_t function_count;
  struct read_mapping mappings[256];
  size_t mapping_count;
  uint64_t comment;
};

/* ---- the wire ---- */

static inline uint64_t read_varint(const uint8_t **at, const uint8_t *end)
{
  uint64_t value = 0;
  for (unsigned shift = 0;; shift += 7) {
    api_check(*at < end && shift < 70);
    uint8_t byte = *(*at)++;
    value |= (uint64_t)(byte & 0x7f) << shift;
    if (!(byte & 0x80))
      return value;
  }
}

static inline bool read_field(const uint8_t **at, const uint8_t *end,
                              struct pb_field *field)
{
  if (*at == end)
    return false;
  uint64_t key = read_varint(at, end);
  api_check(key >> 3 && ((key & 7) == 0 || (key & 7) == 2));
  *field = (struct pb_field){.number = (unsigned)(key >> 3)};
  field->varint = read_varint(at, end);
  if ((key & 7) == 2) {
    api_check(field->varint <= (size_t)(end - *at));
    field->bytes = *at;
    *at += field->varint;
  }
  return true;
}

/* Each field of a message. */
#define FIELDS(field, from, count)                                             \
  struct pb_field field;                                                       \
  for (const uint8_t *at_ = (from), *end_ = at_ + (count);                     \
       read_field(&at_, end_, &field);)

static inline unsigned read_packed(const struct pb_field *field, uint64_t *to,
                                   unsigned room)
{
  unsigned count = 0;
  const uint8_t *at = field->bytes;
  while (at < field->bytes + field->varint) {
    api_check(count < room);
    to[count++] = read_varint(&at, field->bytes + field->varint);
  }
  return count;
}

/* ---- strings ---- */

static inline bool text_is(const struct read_profile *p, uint64_t number,
                           const char *wanted)
{
  api_check(number < p->string_count);
  return p->strings[number].length == strlen(wanted) &&
         memcmp(p->strings[number].start, wanted, strlen(wanted)) == 0;
}

static inline void read_strings(struct read_profile *p)
{
  size_t room = 0;
  FIELDS(field, p->data, p->length)
  {
    if (field.number != 6)
      continue;
    if (p->string_count == room) {
      room = room ? 2 * room : 64;
      p->strings = realloc(p->strings, room * sizeof *p->strings);
    }
    p->strings[p->string_count++] =
        (struct text){(const char *)field.bytes, field.varint};
  }
  api_check(p->string_count && p->strings[0].length == 0);
}

/* ---- messages ---- */

static inline void read_type(const struct pb_field *message, uint64_t *type,
                             uint64_t *unit)
{
  FIELDS(field, message->bytes, message->varint)
  {
    if (field.number == 1)
      *type = field.varint;
    if (field.number == 2)
      *unit = field.varint;
  }
}

static inline void read_label(const struct read_profile *p,
                              const struct pb_field *message,
                              struct read_sample *sample)
{
  uint64_t key = 0, text = 0, number = 0;
  FIELDS(field, message->bytes, message->varint)
  {
    if (field.number == 1)
      key = field.varint;
    if (field.number == 2)
      text = field.varint;
    if (field.number == 3)
      number = field.varint;
  }
  if (text_is(p, key, "kind"))
    sample->kind = text;
  else if (text_is(p, key, "survived"))
    sample->survived = text;
  else if (text_is(p, key, "bytes"))
    sample->bytes = number;
  else
    ck_abort_msg("an unknown label");
}

static inline void read_sample(struct read_profile *p,
                               const struct pb_field *message)
{
  struct read_sample sample = {.depth = 0};
  FIELDS(field, message->bytes, message->varint)
  {
    if (field.number == 1)
      sample.depth = read_packed(&field, sample.locations, STACK_DEEPEST);
    if (field.number == 2)
      sample.value_count = read_packed(&field, sample.values, TYPES_MAX);
    if (field.number == 3)
      read_label(p, &field, &sample);
  }
  api_check(sample.value_count == p->type_count);
  p->samples = realloc(p->samples, (p->sample_count + 1) * sizeof sample);
  p->samples[p->sample_count++] = sample;
}

static inline void read_mapping(struct read_profile *p,
                                const struct pb_field *message)
{
  struct read_mapping mapping = {.id = 0};
  uint64_t *to[] = {NULL,
                    &mapping.id,
                    &mapping.start,
                    &mapping.limit,
                    &mapping.offset,
                    &mapping.file,
                    &mapping.build_id};
  FIELDS(field, message->bytes, message->varint)
  {
    if (field.number <= 6)
      *to[field.number] = field.varint;
  }
  api_check(mapping.id == p->mapping_count + 1 && p->mapping_count < 256);
  api_check(mapping.start < mapping.limit);
  p->mappings[p->mapping_count++] = mapping;
}

/* The number of its function. */
static inline uint64_t read_line(const struct pb_field *message)
{
  uint64_t function = 0;
  FIELDS(field, message->bytes, message->varint)
  {
    if (field.number == 1)
      function = field.varint;
  }
  return function;
}

static inline void read_location(struct read_profile *p,
                                 const struct pb_field *message)
{
  uint64_t id = 0, location[3] = {0};
  FIELDS(field, message->bytes, message->varint)
  {
    if (field.number == 1)
      id = field.varint;
    if (field.number == 3)
      location[0] = field.varint;
    if (field.number == 2)
      location[1] = field.varint;
    if (field.number == 4)
      location[2] = read_line(&field);
  }
  api_check(id && id == p->location_count + 1);
  p->locations = realloc(p->locations, (id + 1) * sizeof *p->locations);
  memcpy(p->locations[id], location, sizeof location);
  p->location_count = id;
}

static inline void read_function(struct read_profile *p,
                                 const struct pb_field *message)
{
  uint64_t id = 0, name = 0;
  FIELDS(field, message->bytes, message->varint)
  {
    if (field.number == 1)
      id = field.varint;
    if (field.number == 2)
      name = field.varint;
  }
  api_check(id);
  if (id >= p->function_count) {
    p->function_names =
        realloc(p->function_names, (id + 1) * sizeof *p->function_names);
    for (size_t i = p->function_count; i <= id; i++)
      p->function_names[i] = 0;
    p->function_count = id + 1;
  }
  api_check(!p->function_names[id] && name);
  p->function_names[id] = name;
}

static inline void read_rest(struct read_profile *p)
{
  FIELDS(field, p->data, p->length)
  {
    switch (field.number) {
    case 1:
      api_check(p->type_count < TYPES_MAX);
      read_type(&field, &p->types[p->type_count], &p->units[p->type_count]);
      p->type_count++;
      break;
    case 2:
      read_sample(p, &field);
      break;
    case 3:
      read_mapping(p, &field);
      break;
    case 4:
      read_location(p, &field);
      break;
    case 5:
      read_function(p, &field);
      break;
    case 6:
      break;
    case 9:
      p->time_nanos = field.varint;
      break;
    case 11:
      read_type(&field, &p->period_type, &p->period_unit);
      break;
    case 12:
      p->period = field.varint;
      break;
    case 13:
      p->comment = field.varint;
      break;
    case 14:
      p->shown = field.varint;
      break;
    default:
      ck_abort_msg("an unknown field: %u", field.number);
    }
  }
}

/* ---- files ---- */

static inline uint8_t *read_stream(FILE *from, size_t *length)
{
  uint8_t *data = NULL;
  size_t room = 0, got;
  *length = 0;
  do {
    room = room ? 2 * room : 1 << 16;
    data = realloc(data, room);
    got = fread(data + *length, 1, room - *length, from);
    *length += got;
  } while (got);
  return data;
}

static inline void pprof_read(struct read_profile *p, const char *name)
{
  char command[1024];
  *p = (struct read_profile){.packed = NULL};
  FILE *file = fopen(name, "r");
  ck_assert_ptr_nonnull(file);
  p->packed = read_stream(file, &p->packed_length);
  fclose(file);
  ck_assert_uint_gt(p->packed_length, 2);
  bool is_packed = p->packed[0] == 0x1f && p->packed[1] == 0x8b;
  snprintf(command, sizeof command, "%s %s", is_packed ? "gzip -dc <" : "cat",
           name);
  FILE *unpacked = popen(command, "r");
  ck_assert_ptr_nonnull(unpacked);
  p->data = read_stream(unpacked, &p->length);
  ck_assert_int_eq(pclose(unpacked), 0);
  read_strings(p);
  read_rest(p);
}

static inline void pprof_free(struct read_profile *p)
{
  free(p->packed);
  free(p->data);
  free(p->strings);
  free(p->samples);
  free(p->locations);
  free(p->function_names);
}

/* ---- questions ---- */

static inline unsigned pprof_type(const struct read_profile *p,
                                  const char *name)
{
  for (unsigned i = 0; i < p->type_count; i++)
    if (text_is(p, p->types[i], name))
      return i;
  ck_abort_msg("no type %s", name);
  return 0;
}

/* A compiler that makes a version of its own of a function calls it
 * "name.something". */
static inline bool text_names(const struct read_profile *p, uint64_t number,
                              const char *function)
{
  const struct text *text = &p->strings[number];
  size_t length = strlen(function);
  return text->length >= length && memcmp(text->start, function, length) == 0 &&
         (text->length == length || text->start[length] == '.');
}

/* Does the stack have a function of that name? */
static inline bool pprof_is_in(const struct read_profile *p,
                               const struct read_sample *sample,
                               const char *function)
{
  for (unsigned i = 0; i < sample->depth; i++) {
    uint64_t id = sample->locations[i];
    api_check(id && id <= p->location_count);
    uint64_t number = p->locations[id][2];
    if (!number)
      continue;
    api_check(number < p->function_count && p->function_names[number]);
    if (text_names(p, p->function_names[number], function))
      return true;
  }
  return false;
}

/* Of samples below the function (NULL: all) and of the kind (NULL: any). */
static inline uint64_t pprof_sum(const struct read_profile *p, const char *type,
                                 const char *function, const char *kind)
{
  uint64_t sum = 0;
  unsigned index = pprof_type(p, type);
  for (size_t i = 0; i < p->sample_count; i++)
    if ((!function || pprof_is_in(p, &p->samples[i], function)) &&
        (!kind || text_is(p, p->samples[i].kind, kind)))
      sum += p->samples[i].values[index];
  return sum;
}

#endif
