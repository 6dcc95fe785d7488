/* SPDX-License-Identifier: MIT */
/* threads.c -- threads that come, wait, hand over and go at any moment
 *
 * Each actor stands for a line of threads.  A member of the line works for a
 * while, starts the next one, hands it an object that nothing but its own
 * stack holds, waits until the heir has attached, and ends: detached, or still
 * attached.  The heir joins it.
 *
 * Members of all lines post messages to each other through one office: a ring
 * in a registered root, under a mutex, with conditions to wait on.  A message
 * is a tree of PAIRS, so each of its objects is verified strictly.  Between
 * messages they detach and attach again, in whatever cycle runs. */
#include "stress.h"

#include <errno.h>
#include <semaphore.h>
#include <stdlib.h>
#include <time.h>

enum { RING = 16 };

static struct {
  pthread_mutex_t mutex;
  pthread_cond_t changed;
  void *ring[RING]; /* registered root; the rest is under the mutex */
  struct seal seals[RING];
  unsigned first, count;
  uint64_t posted, taken;
} office = {.mutex = PTHREAD_MUTEX_INITIALIZER,
            .changed = PTHREAD_COND_INITIALIZER};

/* One after the other; each adds to the sum before its heir does. */
struct line {
  uint64_t verified;
  pthread_t last; /* set by the last member, which then posts */
  sem_t ended;
};

struct member {
  struct line *line;
  struct actor actor;
  void *legacy; /* what it was handed; on the testator's stack, too */
  struct seal legacy_seal;
  pthread_t testator; /* to be joined, if there is a legacy */
  sem_t attached;
};

/* Messages */

static void *make_message(struct actor *actor, unsigned depth)
{
  size_t pairs = depth ? 1 + random_below(&actor->random, 3) : 0;
  void *below[3];
  for (size_t i = 0; i < pairs; i++)
    below[i] = make_message(actor, depth - 1);
  void *message = stress_make(actor, PAIRS, 2 + 2 * pairs, 0);
  for (size_t i = 0; i < pairs; i++)
    pairs_init(actor, message, i, below[i]);
  return message;
}

static void check_message(struct actor *actor, void *message, struct seal seal)
{
  stress_verify_as(actor, message, seal);
  for (size_t i = 0; i < pairs_count(seal_words(seal)); i++) {
    void *below = pairs_load(actor, message, i);
    if (below)
      check_message(actor, below, stress_verify(actor, below));
  }
}

/* Waits for the office to change, or a little: a message may never come. */
static void office_wait(struct actor *actor)
{
  struct timespec until;
  clock_gettime(CLOCK_REALTIME, &until);
  until.tv_nsec += 2000000;
  if (until.tv_nsec >= 1000000000) {
    until.tv_sec++;
    until.tv_nsec -= 1000000000;
  }
  dusk_cond_timedwait(actor->thread, &office.changed, &office.mutex, &until);
}

static void office_lock(struct actor *actor)
{
  stress_expect(dusk_mutex_lock(actor->thread, &office.mutex),
                "dusk_mutex_lock");
}

static void office_post(struct actor *actor)
{
  void *message =
      make_message(actor, 1 + (unsigned)random_below(&actor->random, 4));
  struct seal seal = stress_verify(actor, message);
  office_lock(actor);
  if (office.count == RING)
    office_wait(actor);
  if (office.count < RING) {
    unsigned at = (office.first + office.count++) % RING;
    office.seals[at] = seal;
    dusk_store(actor->thread, &office.ring[at], message);
    office.posted++;
    pthread_cond_signal(&office.changed);
  }
  pthread_mutex_unlock(&office.mutex);
}

static void office_take(struct actor *actor)
{
  void *message = NULL;
  struct seal seal = {0};
  office_lock(actor);
  if (office.count == 0)
    office_wait(actor);
  if (office.count > 0) {
    unsigned at = office.first;
    office.first = (office.first + 1) % RING;
    office.count--;
    seal = office.seals[at];
    message = dusk_exchange(actor->thread, &office.ring[at], NULL);
    office.taken++;
    pthread_cond_signal(&office.changed);
  }
  pthread_mutex_unlock(&office.mutex);
  if (message)
    check_message(actor, message, seal);
}

/* Members */

static void leave_and_return(struct actor *actor)
{
  dusk_detach(actor->thread);
  if (random_below(&actor->random, 2))
    stress_sleep_us((unsigned)random_below(&actor->random, 100));
  stress_expect(dusk_attach(stress.heap, &actor->thread), "dusk_attach");
}

/* holds: something on the stack must live, so the thread stays attached. */
static void work(struct actor *actor, bool holds)
{
  struct random *random = &actor->random;
  for (uint64_t i = random_below(random, 400); i > 0; i--) {
    uint64_t dice = random_below(random, 1000);
    if (dice < 400)
      office_post(actor);
    else if (dice < 800)
      office_take(actor);
    else if (dice < 960)
      stress_make(actor, stress_pick_shape(actor), stress_pick_words(actor), 0);
    else if (dice < 980 && !holds)
      leave_and_return(actor);
    else if (dice < 995)
      stress_nap(actor, (unsigned)random_below(random, 300));
    else
      dusk_collect(actor->thread);
  }
}

static void *live(void *argument);

/* Starts a member, and returns when it has attached. */
static void member_start(struct line *line, struct actor *parent, void *legacy)
{
  struct member *member = calloc(1, sizeof(*member));
  if (!member)
    stress_fail("no memory for a thread");
  member->line = line;
  member->actor.index = parent->index;
  random_seed(&member->actor.random, random_next(&parent->random));
  sem_init(&member->attached, 0, 0);
  member->testator = pthread_self();
  member->legacy = legacy;
  if (legacy)
    member->legacy_seal = stress_verify(parent, legacy);
  void *volatile kept = legacy;
  pthread_t thread;
  dusk_blocking_begin(parent->thread);
  stress_expect(pthread_create(&thread, NULL, live, member), "pthread_create");
  while (sem_wait(&member->attached))
    continue;
  dusk_blocking_end(parent->thread);
  (void)kept;
}

/* The last one says so, the others leave an heir; half of them end while they
 * are attached. */
static void member_end(struct member *member)
{
  struct actor *actor = &member->actor;
  struct line *line = member->line;
  bool is_last = stress_is_over();
  line->verified += actor->verified;
  if (!is_last)
    member_start(line, actor, make_message(actor, 3));
  if (random_below(&actor->random, 2))
    dusk_detach(actor->thread);
  free(member);
  if (is_last) {
    line->last = pthread_self();
    sem_post(&line->ended);
  }
}

static void *live(void *argument)
{
  struct member *member = argument;
  struct actor *actor = &member->actor;
  stress_expect(dusk_attach(stress.heap, &actor->thread), "dusk_attach");
  void *volatile legacy = member->legacy;
  sem_post(&member->attached);
  if (legacy) {
    dusk_blocking_begin(actor->thread);
    pthread_join(member->testator, NULL);
    dusk_blocking_end(actor->thread);
  }
  work(actor, legacy != NULL);
  if (legacy)
    check_message(actor, legacy, member->legacy_seal);
  legacy = NULL;
  work(actor, false);
  member_end(member);
  return NULL;
}

static void found_line(struct actor *actor)
{
  struct line line = {0};
  sem_init(&line.ended, 0, 0);
  int error = dusk_root_add(stress.heap, office.ring, sizeof(office.ring));
  stress_expect(error == EEXIST ? 0 : error, "dusk_root_add");
  member_start(&line, actor, NULL);
  dusk_blocking_begin(actor->thread);
  while (sem_wait(&line.ended))
    continue;
  pthread_join(line.last, NULL);
  dusk_blocking_end(actor->thread);
  actor->verified += line.verified;
}

int main(int argc, char **argv)
{
  int result = stress_run(argc, argv, "threads", found_line);
  if (office.posted != office.taken + office.count)
    stress_fail("%llu messages posted, %llu taken, %u left",
                (unsigned long long)office.posted,
                (unsigned long long)office.taken, office.count);
  return result;
}
