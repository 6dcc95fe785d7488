/* SPDX-License-Identifier: MIT */
/* stress.c -- options, time, random numbers and seals of the stress programs
 *
 * A seal is one word:
 *
 *   63      48 47   45 44    37 36       24 23          0
 *   [ words  ] [shape] [ epoch] [   id    ] [   hash    ]
 *
 * The hash is of the object's address, the other fields and the program's
 * seed. */
#include "stress.h"

#include <errno.h>
#include <fcntl.h>
#include <getopt.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

struct stress stress;

static uint64_t deadline_ns; /* written before the actors run */

/* Random numbers */

static uint64_t mix(uint64_t z)
{
  z = (z ^ z >> 30) * UINT64_C(0xbf58476d1ce4e5b9);
  z = (z ^ z >> 27) * UINT64_C(0x94d049bb133111eb);
  return z ^ z >> 31;
}

void random_seed(struct random *random, uint64_t stream)
{
  uint64_t state = stress.seed + mix(stream + 1);
  for (int i = 0; i < 4; i++)
    random->state[i] = mix(state += UINT64_C(0x9e3779b97f4a7c15));
}

static uint64_t rotate(uint64_t word, int bits)
{
  return word << bits | word >> (64 - bits);
}

uint64_t random_next(struct random *random)
{
  uint64_t *s = random->state;
  uint64_t result = rotate(s[1] * 5, 7) * 9;
  uint64_t shifted = s[1] << 17;
  s[2] ^= s[0];
  s[3] ^= s[1];
  s[1] ^= s[2];
  s[0] ^= s[3];
  s[2] ^= shifted;
  s[3] = rotate(s[3], 45);
  return result;
}

uint64_t random_below(struct random *random, uint64_t limit)
{
  return random_next(random) % limit;
}

/* Time and failure */

static uint64_t now_ns(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
}

bool stress_is_over(void)
{
  return now_ns() >= deadline_ns;
}

void stress_fail(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  flockfile(stderr);
  fprintf(stderr, "\n%s: FAILED: ", stress.name);
  vfprintf(stderr, format, arguments);
  fprintf(stderr,
          "\n%s: again: --seed %" PRIu64
          " --threads %u --seconds %u --gc-percent %d --snapshots %u\n",
          stress.name, stress.seed, stress.threads, stress.seconds,
          stress.gc_percent, stress.snapshots);
  funlockfile(stderr);
  va_end(arguments);
  abort();
}

void stress_expect(int error, const char *call)
{
  if (error)
    stress_fail("%s: %s", call, strerror(error));
}

void stress_sleep_us(unsigned microseconds)
{
  struct timespec time = {microseconds / 1000000u,
                          (long)(microseconds % 1000000u) * 1000};
  nanosleep(&time, NULL);
}

void stress_nap(struct actor *actor, unsigned microseconds)
{
  dusk_blocking_begin(actor->thread);
  stress_sleep_us(microseconds);
  dusk_blocking_end(actor->thread);
}

/* Seals */

enum { HASH_BITS = 24, ID_BITS = 13 };

#define HASH_MASK ((UINT64_C(1) << HASH_BITS) - 1)

static uint64_t seal_hash(const void *object, uint64_t fields)
{
  uint64_t salted = mix((uintptr_t)object ^ stress.seed) + fields;
  return mix(salted) & HASH_MASK;
}

static struct seal seal_make(const void *object, enum shape shape, size_t words,
                             uint8_t epoch, uint64_t id)
{
  uint64_t fields = (uint64_t)words << 48 | (uint64_t)shape << 45 |
                    (uint64_t)epoch << 37 |
                    (id & ((UINT64_C(1) << ID_BITS) - 1)) << HASH_BITS;
  return (struct seal){fields | seal_hash(object, fields)};
}

static struct seal seal_read(const void *object)
{
  return (struct seal){
      __atomic_load_n((const uint64_t *)object, __ATOMIC_RELAXED)};
}

static uint64_t leaf_word(struct seal seal, size_t i)
{
  return mix(seal.word + i);
}

/* Which words of a leaf are written: all of a small one, the last of each. */
static bool leaf_word_counts(size_t i, size_t words)
{
  return i < 32 || i % 61 == 0 || i == words - 1;
}

static void check_zero(const uint64_t *object, size_t words)
{
  for (size_t i = 0; i < words; i++)
    if (leaf_word_counts(i, words) &&
        __atomic_load_n(&object[i], __ATOMIC_RELAXED))
      stress_fail("new object %p: word %zu of %zu is %" PRIx64
                  ", expected zero",
                  (const void *)object, i, words, object[i]);
}

void *stress_make(struct actor *actor, enum shape shape, size_t words,
                  uint8_t epoch)
{
  if (shape == CELL)
    words = CELL_WORDS;
  uint64_t id = random_next(&actor->random);
  uint64_t *object =
      shape == CELL ? dusk_new(actor->thread, stress.kinds[CELL])
                    : dusk_alloc(actor->thread, stress.kinds[shape], words * 8);
  if (!object)
    stress_fail("no memory for %zu words: %s", words, strerror(errno));
  if ((uintptr_t)object % 16)
    stress_fail("object %p is not aligned", (void *)object);
  check_zero(object, words);
  struct seal seal = seal_make(object, shape, words, epoch, id);
  if (shape == LEAF)
    for (size_t i = 1; i < words; i++)
      if (leaf_word_counts(i, words))
        object[i] = leaf_word(seal, i);
  /* Last: a trace callback believes the seal. */
  __atomic_store_n(&object[0], seal.word, __ATOMIC_RELAXED);
  return object;
}

size_t stress_pick_words(struct actor *actor)
{
  uint64_t dice = random_below(&actor->random, 1000);
  size_t limit = dice < 700   ? 8
                 : dice < 930 ? 64
                 : dice < 997 ? 1024
                              : MAX_WORDS;
  return MIN_WORDS + random_below(&actor->random, limit - MIN_WORDS + 1);
}

enum shape stress_pick_shape(struct actor *actor)
{
  return (enum shape)random_below(&actor->random, SHAPES);
}

static void check_leaf(const uint64_t *object, struct seal seal, size_t i)
{
  if (object[i] != leaf_word(seal, i))
    stress_fail("leaf %p: word %zu of %zu is %" PRIx64 ", expected %" PRIx64,
                (const void *)object, i, seal_words(seal), object[i],
                leaf_word(seal, i));
}

struct seal stress_verify(struct actor *actor, const void *object)
{
  if (!object || (uintptr_t)object % 16)
    stress_fail("%p cannot be an object", object);
  struct seal seal = seal_read(object);
  uint64_t fields = seal.word & ~HASH_MASK;
  struct seal expected = {fields | seal_hash(object, fields)};
  if (seal.word != expected.word || seal_shape(seal) >= SHAPES)
    stress_fail("object %p has the seal %016" PRIx64 ", expected %016" PRIx64,
                object, seal.word, expected.word);
  size_t words = seal_words(seal);
  actor->verified++;
  if (seal_shape(seal) == LEAF) {
    check_leaf(object, seal, words - 1);
    check_leaf(object, seal,
               1 + actor->verified % (words < 32 ? words - 1 : 31));
  }
  /* The collector's own opinion, now and then: it costs a look at the heap. */
  if (actor->verified % 16 == 0 &&
      dusk_size_of(stress.heap, object) < words * 8)
    stress_fail("object %p has %zu usable bytes, expected %zu", object,
                dusk_size_of(stress.heap, object), words * 8);
  return seal;
}

void stress_verify_as(struct actor *actor, const void *object, struct seal seal)
{
  struct seal found = stress_verify(actor, object);
  if (found.word != seal.word)
    stress_fail("object %p has the seal %016" PRIx64 ", expected %016" PRIx64
                " (another object is in its place)",
                object, found.word, seal.word);
}

void pairs_init(struct actor *actor, void *object, size_t pair,
                const void *target)
{
  void **slot = pairs_slot(object, pair);
  dusk_init(actor->thread, slot, target);
  ((uint64_t *)slot)[1] = seal_read(target).word;
}

void *pairs_load(struct actor *actor, void *object, size_t pair)
{
  void **slot = pairs_slot(object, pair);
  void *target = dusk_load(slot);
  if (target)
    stress_verify_as(actor, target, (struct seal){((uint64_t *)slot)[1]});
  return target;
}

/* Kinds */

/* Runs while the program does: a seal of zero is an object not yet sealed. */
static void trace_record(void *object, size_t bytes, dusk_tracer *tracer,
                         void *context)
{
  (void)context;
  size_t words = seal_words(seal_read(object));
  if (words * 8 > bytes)
    stress_fail("record %p of %zu bytes has %zu words", object, bytes, words);
  for (size_t i = 1; i < words; i++)
    dusk_trace(tracer, (void *const *)object + i);
}

static void define_kind(enum shape shape, dusk_kind_spec spec)
{
  spec.struct_size = sizeof(spec);
  stress_expect(dusk_kind_define(stress.heap, &spec, &stress.kinds[shape]),
                "dusk_kind_define");
}

static void define_kinds(void)
{
  static const uint64_t odd_words = 2;
  static const uint64_t last_three = 0xe;
  stress.kinds[LEAF] = DUSK_LEAF;
  stress.kinds[WORDS] = DUSK_CONSERVATIVE;
  define_kind(PAIRS, (dusk_kind_spec){.name = "pairs",
                                      .scan = DUSK_SCAN_LAYOUT,
                                      .pointers = &odd_words,
                                      .period = 2});
  define_kind(CELL, (dusk_kind_spec){.name = "cell",
                                     .size = CELL_WORDS * 8,
                                     .scan = DUSK_SCAN_LAYOUT,
                                     .pointers = &last_three});
  define_kind(RECORD, (dusk_kind_spec){.name = "record",
                                       .scan = DUSK_SCAN_TRACE,
                                       .trace = trace_record});
}

/* Options */

static void usage(FILE *file, const char *name)
{
  fprintf(file,
          "usage: %s [--seconds N] [--threads N] [--seed S] [--gc-percent P] "
          "[--snapshots MS]\n",
          name);
}

static long long parse_number(const char *option, const char *text,
                              long long least)
{
  char *end;
  errno = 0;
  long long number = strtoll(text, &end, 0);
  if (errno || end == text || *end || number < least) {
    fprintf(stderr, "%s: --%s: '%s' is no number from %lld up\n", stress.name,
            option, text, least);
    exit(2);
  }
  return number;
}

static void parse_options(int argc, char **argv)
{
  static const struct option options[] = {
      {"seconds", required_argument, NULL, 's'},
      {"threads", required_argument, NULL, 't'},
      {"seed", required_argument, NULL, 'e'},
      {"gc-percent", required_argument, NULL, 'p'},
      {"snapshots", required_argument, NULL, 'n'},
      {"help", no_argument, NULL, 'h'},
      {NULL, 0, NULL, 0},
  };
  for (int option; (option = getopt_long(argc, argv, "", options, NULL)) >= 0;)
    switch (option) {
    case 's':
      stress.seconds = (unsigned)parse_number("seconds", optarg, 1);
      break;
    case 't':
      stress.threads = (unsigned)parse_number("threads", optarg, 1);
      break;
    case 'e':
      stress.seed = (uint64_t)parse_number("seed", optarg, 0);
      break;
    case 'p':
      stress.gc_percent = (int)parse_number("gc-percent", optarg, 1);
      break;
    case 'n':
      stress.snapshots = (unsigned)parse_number("snapshots", optarg, 0);
      break;
    case 'h':
      usage(stdout, stress.name);
      exit(EXIT_SUCCESS);
    default:
      usage(stderr, stress.name);
      exit(2);
    }
  if (optind < argc) {
    usage(stderr, stress.name);
    exit(2);
  }
}

/* Running */

struct running {
  struct actor actor;
  pthread_t pthread;
  void (*body)(struct actor *actor);
};

static void *run_actor(void *argument)
{
  struct running *running = argument;
  struct actor *actor = &running->actor;
  stress_expect(dusk_attach(stress.heap, &actor->thread), "dusk_attach");
  running->body(actor);
  dusk_detach(actor->thread);
  return NULL;
}

static uint64_t cycles(void)
{
  dusk_memstats stats;
  dusk_read_memstats(stress.heap, &stats);
  return stats.num_gc;
}

/* A line on a terminal, so that nobody has to guess. */
static void show_progress(void)
{
  bool terminal = isatty(STDERR_FILENO);
  while (!stress_is_over()) {
    stress_sleep_us(100000);
    if (terminal)
      fprintf(stderr, "\r%s: %.0f s to go, %" PRIu64 " cycles ", stress.name,
              (double)(int64_t)(deadline_ns - now_ns()) / 1e9, cycles());
  }
  if (terminal)
    fprintf(stderr, "\r\033[K");
}

/* A whole one, and a path, in turn; of who is not attached, and who is. */
static void *take_snapshots(void *argument)
{
  uint64_t *taken = argument;
  int null = open("/dev/null", O_WRONLY);
  dusk_thread *thread = NULL;
  while (!stress_is_over()) {
    stress_sleep_us(stress.snapshots * 1000);
    if (*taken % 4 == 2)
      stress_expect(dusk_attach(stress.heap, &thread), "dusk_attach");
    stress_expect(*taken % 2 ? dusk_why_alive(stress.heap, taken, null)
                             : dusk_write_snapshot(stress.heap, null),
                  "dusk_write_snapshot");
    ++*taken;
    if (thread)
      dusk_detach(thread);
    thread = NULL;
  }
  close(null);
  return NULL;
}

static void run_beside(pthread_t *snapshots, uint64_t *taken)
{
  if (stress.snapshots)
    stress_expect(pthread_create(snapshots, NULL, take_snapshots, taken),
                  "pthread_create");
}

static uint64_t run_actors(void (*body)(struct actor *actor))
{
  pthread_t snapshots;
  uint64_t taken = 0;
  struct running *all = calloc(stress.threads, sizeof(*all));
  if (!all)
    stress_fail("no memory for %u actors", stress.threads);
  for (unsigned i = 0; i < stress.threads; i++) {
    all[i].actor.index = i;
    all[i].body = body;
    random_seed(&all[i].actor.random, i);
    stress_expect(pthread_create(&all[i].pthread, NULL, run_actor, &all[i]),
                  "pthread_create");
  }
  run_beside(&snapshots, &taken);
  show_progress();
  uint64_t verified = 0;
  for (unsigned i = 0; i < stress.threads; i++) {
    pthread_join(all[i].pthread, NULL);
    verified += all[i].actor.verified;
  }
  free(all);
  if (stress.snapshots) {
    pthread_join(snapshots, NULL);
    printf("%s: %" PRIu64 " snapshots\n", stress.name, taken);
  }
  return verified;
}

int stress_run(int argc, char **argv, const char *name,
               void (*body)(struct actor *actor))
{
  stress = (struct stress){.name = name,
                           .seconds = 3,
                           .threads = 4,
                           .gc_percent = 100,
                           .snapshots = 500};
  stress.seed = mix(now_ns() ^ (uint64_t)getpid() << 32) >> 32;
  parse_options(argc, argv);
  printf("%s: seed %" PRIu64 ", %u threads, %u s, GC percent %d\n", name,
         stress.seed, stress.threads, stress.seconds, stress.gc_percent);
  fflush(stdout);

  dusk_options options = DUSK_OPTIONS_INIT;
  options.gc_percent = stress.gc_percent;
  stress_expect(dusk_heap_open(&options, &stress.heap), "dusk_heap_open");
  define_kinds();
  deadline_ns = now_ns() + stress.seconds * UINT64_C(1000000000);
  uint64_t verified = run_actors(body);
  printf("%s: %" PRIu64 " objects verified, %" PRIu64 " cycles\n", name,
         verified, cycles());
  if (!verified || !cycles())
    stress_fail("nothing was tested");
  dusk_heap_close(stress.heap);
  return EXIT_SUCCESS;
}
