/* SPDX-License-Identifier: MIT */
/* bell.c -- a signal that the user sends rings
 *
 * The handler posts to semaphores, which it may.  They are never destroyed: a
 * handler that is late rings a bell that is down, or another's.
 *
 * Tested by tests/unit/bell.c. */
#include "os/bell.h"

#include "base/atomic.h"

#include <errno.h>
#include <pthread.h>
#include <semaphore.h>
#include <signal.h>

enum { BELLS = 8 };

static struct {
  pthread_mutex_t mutex; /* who hangs one, or takes one down */
  struct {
    int signal; /* 0: it is down; atomic */
    bool made;
    sem_t rung;
  } bells[BELLS];
} tower = {.mutex = PTHREAD_MUTEX_INITIALIZER};

static void ring_all(int number)
{
  int saved = errno;
  for (unsigned i = 0; i < BELLS; i++)
    if (LOAD_ACQUIRE(&tower.bells[i].signal) == number) /* bell_hang() */
      sem_post(&tower.bells[i].rung);
  errno = saved;
}

/* They say that the program has failed, and would come again and again. */
static bool is_failure(int number)
{
  return number == SIGSEGV || number == SIGBUS || number == SIGFPE ||
         number == SIGILL || number == SIGTRAP || number == SIGABRT;
}

static int install(int number)
{
  struct sigaction before,
      ours = {.sa_handler = ring_all, .sa_flags = SA_RESTART};
  sigemptyset(&ours.sa_mask);
  if (sigaction(number, NULL, &before) != 0)
    return EINVAL;
  bool is_free =
      !(before.sa_flags & SA_SIGINFO) &&
      (before.sa_handler == SIG_DFL || before.sa_handler == SIG_IGN ||
       before.sa_handler == ring_all);
  if (!is_free)
    return EBUSY;
  return sigaction(number, &ours, NULL) == 0 ? 0 : EINVAL;
}

static int hang(struct bell *bell, int number)
{
  unsigned i = 0;
  while (i < BELLS && tower.bells[i].signal)
    i++;
  if (i == BELLS)
    return EAGAIN;
  if (!tower.bells[i].made && sem_init(&tower.bells[i].rung, 0, 0) != 0)
    return EAGAIN;
  tower.bells[i].made = true;
  while (sem_trywait(&tower.bells[i].rung) == 0)
    ; /* late ones of who had it before */
  int error = install(number);
  if (error)
    return error;
  bell->index = i;
  /* Pairs with ring_all(): the semaphore is there. */
  STORE_RELEASE(&tower.bells[i].signal, number);
  return 0;
}

int bell_hang(struct bell *bell, uint64_t signal_number)
{
  int saved = errno;
  if (signal_number == 0 || signal_number >= NSIG ||
      is_failure((int)signal_number))
    return EINVAL;
  pthread_mutex_lock(&tower.mutex);
  int error = hang(bell, (int)signal_number);
  pthread_mutex_unlock(&tower.mutex);
  errno = saved;
  return error;
}

void bell_take_down(struct bell bell)
{
  pthread_mutex_lock(&tower.mutex);
  STORE_RELAXED(&tower.bells[bell.index].signal, 0);
  pthread_mutex_unlock(&tower.mutex);
}

void bell_wait(struct bell bell)
{
  int saved = errno;
  while (sem_wait(&tower.bells[bell.index].rung) != 0)
    ; /* EINTR */
  errno = saved;
}

void bell_ring(struct bell bell)
{
  sem_post(&tower.bells[bell.index].rung);
}
