/* SPDX-License-Identifier: MIT */
/* file.c -- files, through a table
 *
 * Any thread, no lock, nothing kept.  A call that a signal has interrupted is
 * made again.
 *
 * Writing has no signal.  A pipe that nobody reads and a file that may not grow
 * (RLIMIT_FSIZE) end a process that does not handle SIGPIPE and SIGXFSZ.  They
 * go to the thread that writes: so they are blocked there, and one that came is
 * taken back before they are let through again.  One that the program had
 * waiting already is left to it; it stands for ours as well.
 *
 * Tested by tests/unit/file.c and tests/unit/faults.c. */
#include "os/file.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

static int system_open(const char *path, int flags, mode_t mode)
{
  return open(path, flags, mode);
}

struct file_table file_system = {
    .open = system_open,
    .read = read,
    .read_at = pread,
    .read_link = readlink,
    .write = write,
    .close = close,
    .pipe = pipe2,
};

int file_open(const char *path, int flags)
{
  int saved = errno;
  int file;
  do
    file = file_system.open(path, flags | O_CLOEXEC, 0666);
  while (file < 0 && errno == EINTR);
  file = file < 0 ? -errno : file;
  errno = saved;
  return file;
}

/* Not again after an EINTR: the system has closed it all the same. */
void file_close(int file)
{
  int saved = errno;
  file_system.close(file);
  errno = saved;
}

bool file_pipe(int ends[2])
{
  int saved = errno;
  bool done = file_system.pipe(ends, O_CLOEXEC) == 0;
  errno = saved;
  return done;
}

ssize_t file_read(int file, void *to, size_t bytes)
{
  int saved = errno;
  ssize_t got;
  do
    got = file_system.read(file, to, bytes);
  while (got < 0 && errno == EINTR);
  got = got < 0 ? -errno : got;
  errno = saved;
  return got;
}

ssize_t file_read_at(int file, void *to, size_t bytes, off_t offset)
{
  int saved = errno;
  ssize_t got;
  do
    got = file_system.read_at(file, to, bytes, offset);
  while (got < 0 && errno == EINTR);
  got = got < 0 ? -errno : got;
  errno = saved;
  return got;
}

bool file_read_link(const char *path, char *to, size_t bytes)
{
  int saved = errno;
  ssize_t length = file_system.read_link(path, to, bytes);
  bool fits = length > 0 && (size_t)length < bytes;
  if (fits)
    to[length] = '\0';
  errno = saved;
  return fits;
}

/* ---- writing ---- */

struct quiet {
  sigset_t ours; /* those of the two that were not waiting before */
  sigset_t mask;
};

static void quiet_begin(struct quiet *quiet)
{
  static const int numbers[] = {SIGPIPE, SIGXFSZ};
  sigset_t waiting;
  sigemptyset(&quiet->ours);
  sigpending(&waiting);
  for (unsigned i = 0; i < 2; i++)
    if (!sigismember(&waiting, numbers[i]))
      sigaddset(&quiet->ours, numbers[i]);
  pthread_sigmask(SIG_BLOCK, &quiet->ours, &quiet->mask);
}

static void quiet_end(const struct quiet *quiet, int error)
{
  static const struct timespec at_once = {0, 0};
  if (error == -EPIPE || error == -EFBIG)
    while (sigtimedwait(&quiet->ours, NULL, &at_once) < 0 && errno == EINTR)
      continue;
  pthread_sigmask(SIG_SETMASK, &quiet->mask, NULL);
}

static int write_all(int file, const char *from, size_t bytes)
{
  while (bytes > 0) {
    ssize_t wrote = file_system.write(file, from, bytes);
    if (wrote == 0)
      return -EIO; /* it would take nothing the next time either */
    if (wrote < 0 && errno != EINTR)
      return -errno;
    if (wrote > 0) {
      from += wrote;
      bytes -= (size_t)wrote;
    }
  }
  return 0;
}

int file_write(int file, const void *from, size_t bytes)
{
  int saved = errno;
  struct quiet quiet;
  quiet_begin(&quiet);
  int error = write_all(file, from, bytes);
  quiet_end(&quiet, error);
  errno = saved;
  return error;
}

/* ---- lines ---- */

void file_lines_open(struct file_lines *lines, const char *path)
{
  lines->file = file_open(path, O_RDONLY);
  lines->at = lines->end = 0;
}

static bool fill(struct file_lines *lines)
{
  if (lines->file < 0)
    return false;
  ssize_t got = file_read(lines->file, lines->bytes, sizeof lines->bytes);
  lines->at = 0;
  lines->end = got > 0 ? (size_t)got : 0;
  return got > 0;
}

bool file_lines_next(struct file_lines *lines, char *line, size_t bytes)
{
  size_t length = 0;
  bool begun = false;
  while (lines->at < lines->end || fill(lines)) {
    char byte = lines->bytes[lines->at++];
    begun = true;
    if (byte == '\n')
      break;
    if (length < bytes - 1)
      line[length++] = byte;
  }
  line[length] = '\0';
  return begun;
}

void file_lines_close(struct file_lines *lines)
{
  if (lines->file >= 0)
    file_close(lines->file);
}
