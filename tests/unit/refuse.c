/* SPDX-License-Identifier: MIT */
/* refuse.c -- a system that refuses the n-th call */
#include "refuse.h"

#include "base/atomic.h"
#include "os/block.h"
#include "os/file.h"
#include "os/self.h"
#include "os/task.h"
#include "os/vm.h"

#include <errno.h>

static struct {
  struct vm_table vm;
  struct block_table block;
  struct file_table file;
  struct task_table task;
  struct self_table self;
} real;

/* All atomic. */
static struct {
  uint64_t calls, refused;
  uint64_t first, count;
  const char *name;
  struct refuse_held held;
} state;

static void add(int64_t *to, int64_t n)
{
  __atomic_fetch_add(to, n, __ATOMIC_RELAXED);
}

/* Of a call: is it to be refused? */
static bool refuses(const char *name)
{
  uint64_t number = ADD_RELAXED(&state.calls, 1) + 1;
  uint64_t first = LOAD_RELAXED(&state.first);
  if (number < first || number - first >= LOAD_RELAXED(&state.count))
    return false;
  if (number == first)
    STORE_RELAXED(&state.name, name);
  ADD_RELAXED(&state.refused, 1);
  return true;
}

static int refuse_with(int error)
{
  errno = error;
  return -1;
}

/* errno, of a call that was let through. */
static int through(int result)
{
  if (result >= 0)
    errno = REFUSE_NOISE;
  return result;
}

/* ---- memory ---- */

static void *try_map(size_t bytes, bool usable)
{
  if (refuses("map")) {
    errno = ENOMEM;
    return NULL;
  }
  void *start = real.vm.map(bytes, usable);
  if (start)
    add(&state.held.bytes, (int64_t)bytes);
  errno = REFUSE_NOISE;
  return start;
}

/* What nobody can use is given back, whatever the system says. */
static int try_unmap(void *start, size_t bytes)
{
  add(&state.held.bytes, -(int64_t)bytes);
  return refuses("unmap") ? refuse_with(ENOMEM)
                          : through(real.vm.unmap(start, bytes));
}

static int try_make_usable(void *start, size_t bytes)
{
  return refuses("make_usable") ? refuse_with(ENOMEM)
                                : through(real.vm.make_usable(start, bytes));
}

static int try_release(void *start, size_t bytes)
{
  return refuses("release") ? refuse_with(EINVAL)
                            : through(real.vm.release(start, bytes));
}

static int try_advise_huge(void *start, size_t bytes)
{
  return refuses("advise_huge") ? refuse_with(EINVAL)
                                : through(real.vm.advise_huge(start, bytes));
}

static int try_close_memory(void *start, size_t bytes)
{
  return refuses("close memory") ? refuse_with(ENOMEM)
                                 : through(real.vm.close(start, bytes));
}

static void *try_make(size_t alignment, size_t bytes)
{
  if (refuses("make block")) {
    errno = ENOMEM;
    return NULL;
  }
  void *block = real.block.make(alignment, bytes);
  add(&state.held.blocks, block != NULL);
  errno = REFUSE_NOISE;
  return block;
}

static void *try_resize(void *block, size_t bytes)
{
  if (refuses("resize block")) {
    errno = ENOMEM;
    return NULL;
  }
  void *resized = real.block.resize(block, bytes);
  add(&state.held.blocks, !block && resized);
  errno = REFUSE_NOISE;
  return resized;
}

static void try_free(void *block)
{
  add(&state.held.blocks, -(block != NULL));
  real.block.free(block);
}

/* ---- files ---- */

static int try_open(const char *path, int flags, mode_t mode)
{
  if (refuses("open"))
    return refuse_with(EMFILE);
  int file = real.file.open(path, flags, mode);
  add(&state.held.files, file >= 0);
  return through(file);
}

static ssize_t try_read(int file, void *to, size_t bytes)
{
  return refuses("read") ? refuse_with(EIO) : real.file.read(file, to, bytes);
}

static ssize_t try_read_at(int file, void *to, size_t bytes, off_t offset)
{
  return refuses("read at") ? refuse_with(EIO)
                            : real.file.read_at(file, to, bytes, offset);
}

static ssize_t try_read_link(const char *path, char *to, size_t bytes)
{
  return refuses("read link") ? refuse_with(EACCES)
                              : real.file.read_link(path, to, bytes);
}

static ssize_t try_write(int file, const void *from, size_t bytes)
{
  return refuses("write") ? refuse_with(ENOSPC)
                          : real.file.write(file, from, bytes);
}

/* As the system does it, closed all the same. */
static int try_close(int file)
{
  add(&state.held.files, -1);
  int result = real.file.close(file);
  return refuses("close") ? refuse_with(EIO) : through(result);
}

static int try_pipe(int ends[2], int flags)
{
  if (refuses("pipe"))
    return refuse_with(EMFILE);
  int result = real.file.pipe(ends, flags);
  add(&state.held.files, result == 0 ? 2 : 0);
  return through(result);
}

/* ---- threads ---- */

static int try_start(pthread_t *task, void *(*body)(void *), void *argument)
{
  if (refuses("start"))
    return EAGAIN;
  int error = real.task.start(task, body, argument);
  add(&state.held.tasks, !error);
  return error;
}

static void try_join(pthread_t task)
{
  real.task.join(task);
  add(&state.held.tasks, -1);
}

static int try_make_key(pthread_key_t *key, void (*ends)(void *word))
{
  return refuses("make key") ? EAGAIN : real.self.make_key(key, ends);
}

/* Where a word is already the C library needs no memory, and no call. */
static int try_set(pthread_key_t key, const void *word)
{
  if (word && !pthread_getspecific(key) && refuses("set word"))
    return ENOMEM;
  return real.self.set(key, word);
}

static int try_attributes(pthread_t thread, pthread_attr_t *attributes)
{
  return refuses("attributes") ? ENOMEM
                               : real.self.attributes(thread, attributes);
}

void refuse_begin(void)
{
  real.vm = vm_system;
  real.block = block_system;
  real.file = file_system;
  real.task = task_system;
  real.self = self_system;
  vm_system = (struct vm_table){
      .map = try_map,
      .unmap = try_unmap,
      .make_usable = try_make_usable,
      .release = try_release,
      .advise_huge = try_advise_huge,
      .close = try_close_memory,
  };
  block_system = (struct block_table){try_make, try_resize, try_free};
  file_system = (struct file_table){
      .open = try_open,
      .read = try_read,
      .read_at = try_read_at,
      .read_link = try_read_link,
      .write = try_write,
      .close = try_close,
      .pipe = try_pipe,
  };
  task_system = (struct task_table){.start = try_start, .join = try_join};
  self_system = (struct self_table){
      .make_key = try_make_key,
      .set = try_set,
      .attributes = try_attributes,
  };
}

void refuse_calls(uint64_t first, uint64_t count)
{
  STORE_RELAXED(&state.calls, 0);
  STORE_RELAXED(&state.refused, 0);
  STORE_RELAXED(&state.name, NULL);
  STORE_RELAXED(&state.first, first);
  STORE_RELAXED(&state.count, count);
}

void refuse_nothing(void)
{
  STORE_RELAXED(&state.count, 0);
}

uint64_t refuse_count(void)
{
  return LOAD_RELAXED(&state.calls);
}

uint64_t refuse_refused(void)
{
  return LOAD_RELAXED(&state.refused);
}

const char *refuse_first_name(void)
{
  const char *name = LOAD_RELAXED(&state.name);
  return name ? name : "none";
}

struct refuse_held refuse_held(void)
{
  return (struct refuse_held){
      .bytes = LOAD_RELAXED(&state.held.bytes),
      .blocks = LOAD_RELAXED(&state.held.blocks),
      .files = LOAD_RELAXED(&state.held.files),
      .tasks = LOAD_RELAXED(&state.held.tasks),
  };
}
