/* SPDX-License-Identifier: MIT */
/* main.c -- a target without libFuzzer: with any compiler, in `make check`
 *
 *   TARGET             its corpus, then inputs made from it, always the same
 *   TARGET FILE...     these
 *
 * An input is made as a fuzzer makes one: from those that were worth keeping,
 * by changing, cutting, repeating and joining. */
#include "fuzz.h"

#include <dirent.h>
#include <string.h>
#include <time.h>

enum {
  INPUTS_MAX = 256,
  INPUT_BYTES = 4096,
  SECONDS_MAX = 12,
  CHANGES_MAX = 8,
};

struct input {
  size_t size;
  uint8_t data[INPUT_BYTES];
};

static struct input inputs[INPUTS_MAX];
static unsigned count;

static void read_input(const char *path)
{
  FILE *stream = fopen(path, "rb");
  if (!stream) {
    perror(path);
    exit(EXIT_FAILURE);
  }
  struct input *input = &inputs[count];
  input->size = fread(input->data, 1, INPUT_BYTES, stream);
  fclose(stream);
  if (count + 1 < INPUTS_MAX)
    count++;
}

static int is_visible(const struct dirent *entry)
{
  return entry->d_name[0] != '.';
}

static void read_corpus(void)
{
  char folder[1024], path[2048];
  struct dirent **entries;
  const char *srcdir = getenv("srcdir");
  snprintf(folder, sizeof folder, "%s/tests/fuzz/corpus/%s",
           srcdir ? srcdir : ".", fuzz_name);
  int n = scandir(folder, &entries, is_visible, alphasort);
  if (n <= 0) {
    fprintf(stderr, "%s: no corpus\n", folder);
    exit(EXIT_FAILURE);
  }
  for (int i = 0; i < n; i++) {
    snprintf(path, sizeof path, "%s/%s", folder, entries[i]->d_name);
    read_input(path);
    free(entries[i]);
  }
  free(entries);
}

/* Marsaglia's xorshift; always the same numbers. */
static uint32_t below(uint32_t limit)
{
  static uint64_t state = UINT64_C(0x9e3779b97f4a7c15);
  state ^= state << 13;
  state ^= state >> 7;
  state ^= state << 17;
  return (uint32_t)((state >> 32) * limit >> 32);
}

static void append(struct input *to, const struct input *from)
{
  size_t at = from->size ? below((uint32_t)from->size) : 0;
  size_t bytes = from->size - at;
  if (bytes > INPUT_BYTES - to->size)
    bytes = INPUT_BYTES - to->size;
  memcpy(to->data + to->size, from->data + at, bytes);
  to->size += bytes;
}

static void change(struct input *input)
{
  if (!input->size || below(8) == 0) {
    append(input, &inputs[below(count)]);
    return;
  }
  size_t at = below((uint32_t)input->size);
  switch (below(4)) {
  case 0:
    input->data[at] ^= (uint8_t)(1u << below(8));
    break;
  case 1:
    input->data[at] = (uint8_t)below(256);
    break;
  case 2:
    input->size = at;
    break;
  default:
    memmove(input->data + at, input->data + at + 1, input->size - at - 1);
    input->size--;
  }
}

static void run_changed(void)
{
  static struct input input;
  time_t end = time(NULL) + SECONDS_MAX;
  unsigned run = 0;
  for (; run < fuzz_runs && time(NULL) < end; run++) {
    input = inputs[below(count)];
    for (uint32_t left = 1 + below(CHANGES_MAX); left; left--)
      change(&input);
    LLVMFuzzerTestOneInput(input.data, input.size);
  }
  printf("%s: %u inputs of the corpus, and %u made from them\n", fuzz_name,
         count, run);
}

/* In memory of its own, of exactly its size: so AddressSanitizer sees who reads
 * beyond. */
static void run_exactly(const struct input *input)
{
  uint8_t *data = malloc(input->size ? input->size : 1);
  if (!data)
    abort();
  memcpy(data, input->data, input->size);
  LLVMFuzzerTestOneInput(data, input->size);
  free(data);
}

int main(int argc, char **argv)
{
  for (int i = 1; i < argc; i++)
    read_input(argv[i]);
  if (argc == 1)
    read_corpus();
  for (unsigned i = 0; i < count; i++)
    run_exactly(&inputs[i]);
  if (argc == 1)
    run_changed();
  return EXIT_SUCCESS;
}
