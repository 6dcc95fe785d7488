/* SPDX-License-Identifier: MIT */
/* listener.c -- the socket of a server, and what a fork makes of it
 *
 * The child of a fork has the socket and none of the threads: who connects would
 * wait for an answer for ever, and the port would be taken as long as the child
 * lives.  So the child closes what its parent listens on.
 *
 * LOCK  `listening.lock` guards the list, and a fork takes it.  A server is
 * started under it, so that no fork comes between the socket and the list; it
 * waits for nobody under it, so an attached thread may fork at any time.
 *
 * Tested by tests/api/inspector.c, tests/inspector.sh. */
#include "inspector/listener.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <pthread.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

enum { BACKLOG = 16 };

static struct {
  pthread_mutex_t lock;
  struct dusk_inspector *first;
  int error; /* of registering the handlers */
} listening = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void lock(void)
{
  pthread_mutex_lock(&listening.lock);
}

static void unlock(void)
{
  pthread_mutex_unlock(&listening.lock);
}

static void child(void)
{
  for (struct dusk_inspector *i = listening.first; i; i = i->next) {
    close(i->listener);
    i->is_inherited = true;
  }
  listening.first = NULL;
  unlock();
}

static void register_handlers(void)
{
  listening.error = pthread_atfork(lock, unlock, child);
}

/* Returns 0 or an errno value, and closes nothing. */
static int bind_and_listen(int fd, unsigned port, unsigned *bound)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  socklen_t length = sizeof address;
  int yes = 1;
  /* A port whose last connections linger may be taken; one on which somebody
   * listens may not. */
  if (setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) ||
      bind(fd, (const struct sockaddr *)&address, length) ||
      listen(fd, BACKLOG) ||
      getsockname(fd, (struct sockaddr *)&address, &length))
    return errno;
  *bound = ntohs(address.sin_port);
  return 0;
}

int listener_lock(void)
{
  static pthread_once_t once = PTHREAD_ONCE_INIT;
  pthread_once(&once, register_handlers);
  if (listening.error)
    return listening.error;
  lock();
  return 0;
}

void listener_unlock(void)
{
  unlock();
}

int listener_open(struct dusk_inspector *inspector, unsigned port)
{
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd < 0)
    return errno;
  int error = bind_and_listen(fd, port, &inspector->port);
  if (error)
    close(fd);
  else
    inspector->listener = fd;
  return error;
}

void listener_add(struct dusk_inspector *inspector)
{
  inspector->next = listening.first;
  listening.first = inspector;
}

bool listener_end(struct dusk_inspector *inspector)
{
  lock();
  bool is_ours = !inspector->is_inherited;
  if (is_ours) {
    struct dusk_inspector **at = &listening.first;
    while (*at != inspector)
      at = &(*at)->next;
    *at = inspector->next;
    shutdown(inspector->listener, SHUT_RDWR);
  }
  unlock();
  return is_ours;
}
