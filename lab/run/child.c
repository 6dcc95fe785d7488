/* SPDX-License-Identifier: MIT */
/* child.c -- runs a program to its end and says what it took; see child.h */
#include "child.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { TICK_NS = 200000000, TICKS_BEFORE_KILL = 10 };

static sigset_t held;
static sigset_t before;
static int interrupted;

static bool signal_is_ignored(int number)
{
  struct sigaction action;
  return !sigaction(number, NULL, &action) && action.sa_handler == SIG_IGN;
}

void child_signals_hold(void)
{
  signal(SIGCHLD, SIG_DFL); /* ignored, it would take the child's status away */
  sigemptyset(&held);
  sigaddset(&held, SIGCHLD);
  if (!signal_is_ignored(SIGINT))
    sigaddset(&held, SIGINT);
  if (!signal_is_ignored(SIGTERM))
    sigaddset(&held, SIGTERM);
  sigprocmask(SIG_BLOCK, &held, &before);
}

void child_signals_release(void)
{
  sigprocmask(SIG_SETMASK, &before, NULL);
}

int child_interrupted(void)
{
  return interrupted;
}

static double seconds_now(void)
{
  struct timespec now;
  clock_gettime(CLOCK_MONOTONIC, &now);
  return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static bool child_redirect(const char *path, int flags, int fd)
{
  int file = open(path, flags, 0666);
  if (file < 0)
    return false;
  bool good = dup2(file, fd) >= 0;
  if (file != fd)
    close(file);
  return good;
}

/* In the child: becomes the program, or tells why not. */
static _Noreturn void child_become(const struct child *child, int report)
{
  int create = O_WRONLY | O_CREAT | O_TRUNC;
  setpgid(0, 0);
  sigprocmask(SIG_SETMASK, &before, NULL);
  for (char *const *variable = child->variables; *variable; variable++)
    putenv(*variable);
  if (child_redirect("/dev/null", O_RDONLY, STDIN_FILENO) &&
      child_redirect(child->out_path, create, STDOUT_FILENO) &&
      child_redirect(child->err_path, create, STDERR_FILENO))
    execvp(child->argv[0], child->argv);
  int error = errno;
  if (write(report, &error, sizeof error) < 0)
    _exit(126);
  _exit(127);
}

/* Returns the child's pid, or -1 and an errno value in *error.  A pipe that
 * exec closes says whether there was one. */
static pid_t child_start(const struct child *child, int *error)
{
  int report[2];
  *error = 0;
  if (pipe2(report, O_CLOEXEC)) {
    *error = errno;
    return -1;
  }
  pid_t pid = fork();
  if (!pid)
    child_become(child, report[1]);
  if (pid < 0)
    *error = errno;
  close(report[1]);
  if (pid > 0 && read(report[0], error, sizeof *error) == sizeof *error) {
    waitpid(pid, NULL, 0);
    pid = -1;
  }
  close(report[0]);
  return pid;
}

/* Waits for a signal or a tick, and passes on a wish to end: first politely,
 * after two seconds, or at the second wish, for certain. */
static void child_watch(pid_t pid, unsigned *ticks)
{
  static const struct timespec tick = {.tv_nsec = TICK_NS};
  int number = sigtimedwait(&held, NULL, &tick);
  if (number == SIGINT || number == SIGTERM) {
    kill(-pid, interrupted ? SIGKILL : SIGTERM);
    interrupted = number;
  } else if (number < 0 && interrupted && ++*ticks >= TICKS_BEFORE_KILL) {
    kill(-pid, SIGKILL);
  }
}

void child_run(const struct child *child, void (*tick)(void *context),
               void *context, struct child_end *end)
{
  struct rusage usage;
  unsigned ticks = 0;
  *end = (struct child_end){0};
  double begun = seconds_now();
  pid_t pid = child_start(child, &end->error);
  if (pid < 0)
    return;
  while (wait4(pid, &end->status, WNOHANG, &usage) != pid) {
    tick(context);
    child_watch(pid, &ticks);
  }
  end->wall_s = seconds_now() - begun;
  if (interrupted)
    kill(-pid, SIGKILL); /* what it may have left behind */
  end->cpu_s = (double)(usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) +
               (double)(usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1e6;
  end->peak_bytes = (uint64_t)usage.ru_maxrss * 1024;
}

bool child_is_good(const struct child_end *end)
{
  return !end->error && WIFEXITED(end->status) && !WEXITSTATUS(end->status);
}

static void last_line(const char *path, char *text, size_t size)
{
  char line[256];
  *text = '\0';
  FILE *file = fopen(path, "re");
  if (!file)
    return;
  while (fgets(line, sizeof line, file)) {
    line[strcspn(line, "\n")] = '\0';
    if (*line)
      snprintf(text, size, ": %s", line);
  }
  fclose(file);
}

void child_explain(const struct child *child, const struct child_end *end,
                   char *text, size_t size)
{
  char said[260];
  if (end->error) {
    snprintf(text, size, "cannot run '%s': %s", child->argv[0],
             strerror(end->error));
    return;
  }
  last_line(child->err_path, said, sizeof said);
  if (WIFSIGNALED(end->status))
    snprintf(text, size, "killed by signal %d (%s)%s", WTERMSIG(end->status),
             strsignal(WTERMSIG(end->status)), said);
  else
    snprintf(text, size, "exit status %d%s", WEXITSTATUS(end->status), said);
}
