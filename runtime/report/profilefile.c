/* SPDX-License-Identifier: MIT */
/* profilefile.c -- DUSK_DEBUG=heapprofile=FILE
 *
 * With a signal there is a thread that waits for it (os/bell.h) and writes; it
 * is ended before anybody else writes, so that there is one writer at a time.
 * A file is written anew each time: what was there was a profile as well.
 *
 * Two heaps of a process must not write to one file: from the second on, a
 * heap's number is added to its names.
 *
 * Tested by tests/api/profilefile.c. */
#include "report/profilefile.h"

#include "base/check.h"
#include "event/sampling.h"
#include "os/bell.h"
#include "os/block.h"
#include "os/file.h"
#include "os/task.h"
#include "report/filename.h"
#include "report/heapprofile.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct profile_file {
  struct dusk_heap *heap;
  pid_t process;   /* that opened the heap */
  unsigned number; /* of the heap in it, among those with a file */
  bool has_bell;   /* and the thread that waits for it */
  struct bell bell;
  pthread_t thread;
  uint32_t closing; /* atomic; then the bell is rung */
};

/* ---- writing ---- */

/* false: it is too long. */
static bool make_name(const struct profile_file *file, const char *given,
                      char *name)
{
  char with_number[FILENAME_BYTES];
  if (file->number == 1)
    return filename_expand(name, FILENAME_BYTES, given);
  snprintf(with_number, sizeof with_number, "%s.%u", given, file->number);
  return filename_expand(name, FILENAME_BYTES, with_number);
}

static int write_named(const struct profile_file *file, const char *given,
                       int (*write)(struct dusk_heap *heap, int fd))
{
  char name[FILENAME_BYTES];
  if (!make_name(file, given, name))
    return ENAMETOOLONG;
  int fd = file_open(name, O_WRONLY | O_CREAT | O_TRUNC);
  if (fd < 0)
    return -fd;
  int error = write(file->heap, fd);
  file_close(fd);
  return error;
}

static void write_file(const struct profile_file *file, const char *key,
                       const char *given,
                       int (*write)(struct dusk_heap *heap, int fd))
{
  /* A child of a fork without a name of its own would write over its parent's
   * file. */
  if (!*given || (getpid() != file->process && !strstr(given, "%p")))
    return;
  int error = write_named(file, given, write);
  if (error)
    complain("DUSK_DEBUG: %s=%s is not written: %s", key, given,
             strerror(error));
}

static void write_files(const struct profile_file *file)
{
  const struct debug_options *debug = &file->heap->debug;
  write_file(file, "heapprofile", debug->heapprofile, heapprofile_write);
  write_file(file, "lifetimeprofile", debug->lifetimeprofile,
             heapprofile_write_lifetimes);
}

/* ---- the signal ---- */

static void *bell_main(void *argument)
{
  struct profile_file *file = argument;
  for (;;) {
    bell_wait(file->bell);
    if (LOAD_ACQUIRE(&file->closing)) /* with end_bell() */
      return NULL;
    write_files(file);
  }
}

static void begin_bell(struct profile_file *file)
{
  uint64_t number = file->heap->debug.heapprofilesig;
  int error = number ? bell_hang(&file->bell, number) : 0;
  if (!number)
    return;
  if (error) {
    complain("DUSK_DEBUG: heapprofilesig=%llu is ignored: %s",
             (unsigned long long)number,
             error == EBUSY ? "the program handles that signal itself"
                            : "a profile cannot be asked for by that signal");
    return;
  }
  file->has_bell = task_start(&file->thread, bell_main, file) == 0;
  if (!file->has_bell) {
    bell_take_down(file->bell);
    complain("DUSK_DEBUG: heapprofilesig is ignored: there is no thread for "
             "it");
  }
}

static void end_bell(struct profile_file *file)
{
  if (!file->has_bell)
    return;
  STORE_RELEASE(&file->closing, 1); /* with bell_main() */
  bell_ring(file->bell);
  task_join(file->thread);
  bell_take_down(file->bell);
  file->has_bell = false;
}

/* ---- the heap's life ---- */

static void begin_sampling(struct dusk_heap *heap, bool is_written)
{
  uint64_t rate = heap->debug.memprofilerate;
  if (!rate && is_written)
    rate = SAMPLING_RATE;
  if (rate && profile_set_rate(&heap->collector.arena.profile, rate) != 0)
    complain("DUSK_DEBUG: nothing is sampled: no memory for the tables");
}

void profilefile_open(struct dusk_heap *heap)
{
  static unsigned files; /* of this process so far; atomic */
  const struct debug_options *debug = &heap->debug;
  bool is_written = *debug->heapprofile || *debug->lifetimeprofile;
  begin_sampling(heap, is_written);
  if (!is_written)
    return;
  struct profile_file *file = block_make(sizeof *file);
  if (!file) {
    complain("DUSK_DEBUG: no profile will be written: no memory");
    return;
  }
  file->heap = heap;
  file->process = getpid();
  file->number = ADD_RELAXED(&files, 1) + 1;
  heap->profile_file = file;
  begin_bell(file);
}

void profilefile_write(struct dusk_heap *heap)
{
  if (!heap->profile_file)
    return;
  end_bell(heap->profile_file);
  write_files(heap->profile_file);
}

void profilefile_close(struct dusk_heap *heap)
{
  profilefile_write(heap);
  block_free(heap->profile_file);
  heap->profile_file = NULL;
}

void profilefile_forget(struct dusk_heap *heap)
{
  if (heap->profile_file)
    end_bell(heap->profile_file);
  block_free(heap->profile_file);
  heap->profile_file = NULL;
}

void profilefile_drop(struct dusk_heap *heap)
{
  if (heap->profile_file)
    heap->profile_file->has_bell = false; /* the thread is the parent's */
}
