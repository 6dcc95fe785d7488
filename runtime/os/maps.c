/* SPDX-License-Identifier: MIT */
/* maps.c -- what memory this process has, as the system tells
 *
 * Any thread, no lock of ours.  Tested by tests/unit/maps.c. */
#include "os/maps.h"

#include "os/file.h"
#include "os/image.h"
#include "os/self.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <link.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/uio.h>
#include <unistd.h>

static const char *last_part(const char *path)
{
  const char *slash = strrchr(path, '/');
  return slash ? slash + 1 : path;
}

void maps_each(void (*visit)(void *context, const struct map *map),
               void *context)
{
  int saved = errno;
  struct file_lines lines;
  char line[4352], access[8];
  file_lines_open(&lines, "/proc/self/maps");
  while (file_lines_next(&lines, line, sizeof line)) {
    struct map map = {.start = 0};
    int at = 0;
    if (sscanf(line, "%" SCNxPTR "-%" SCNxPTR " %7s %*s %*s %*s %n", &map.start,
               &map.end, access, &at) == 3 &&
        strcmp(access, "rw-p") == 0) {
      snprintf(map.name, sizeof map.name, "%s", at ? last_part(line + at) : "");
      visit(context, &map);
    }
  }
  file_lines_close(&lines);
  errno = saved;
}

size_t maps_copy(void *to, uintptr_t from, size_t bytes)
{
  int saved = errno;
  struct iovec local = {.iov_base = to, .iov_len = bytes};
  struct iovec remote = {.iov_base = (void *)from, .iov_len = bytes};
  ssize_t copied = process_vm_readv(getpid(), &local, 1, &remote, 1, 0);
  errno = saved;
  return copied > 0 ? (size_t)copied : 0;
}

/* Bits 62 and 63 of a page's entry: it is in memory, or in the swap. */
enum { ENTRIES = 512 };
#define ENTRY_TOUCHED (UINT64_C(3) << 62)

uintptr_t maps_touched(uintptr_t at, uintptr_t end)
{
  uint64_t entries[ENTRIES];
  size_t unit = (size_t)sysconf(_SC_PAGESIZE);
  int file = file_open("/proc/self/pagemap", O_RDONLY);
  bool found = file < 0; /* then all counts */
  while (!found && at < end) {
    off_t offset = (off_t)(at / unit * sizeof *entries);
    ssize_t got = file_read_at(file, entries, sizeof entries, offset);
    size_t count = got > 0 ? (size_t)got / sizeof *entries : 0;
    found = count == 0;
    for (size_t i = 0; i < count && !found && at < end; i++) {
      found = entries[i] & ENTRY_TOUCHED;
      if (!found)
        at = (at / unit + 1) * unit;
    }
  }
  if (file >= 0)
    file_close(file);
  return at < end ? at : end;
}

/* The last but one word of the line is the stack pointer. */
static bool read_sp(const char *task, uintptr_t *sp)
{
  struct file_lines lines;
  char path[64], line[256];
  snprintf(path, sizeof path, "/proc/self/task/%.16s/syscall", task);
  file_lines_open(&lines, path);
  bool found = file_lines_next(&lines, line, sizeof line);
  file_lines_close(&lines);
  char *last = found ? strrchr(line, ' ') : NULL;
  if (!last)
    return false;
  *last = '\0';
  char *number = strrchr(line, ' ');
  return number && sscanf(number, "%" SCNxPTR, sp) == 1;
}

int maps_thread(uintptr_t start, uintptr_t end, uintptr_t *sp)
{
  int saved = errno;
  int found = 0;
  uintptr_t its = 0;
  int file = file_open("/proc/self/task", O_RDONLY | O_DIRECTORY);
  DIR *tasks = file < 0 ? NULL : fdopendir(file);
  for (struct dirent *task; tasks && !found && (task = readdir(tasks));)
    if (*task->d_name != '.' && read_sp(task->d_name, &its) && its >= start &&
        its < end)
      found = atoi(task->d_name);
  if (found)
    *sp = its;
  if (tasks)
    closedir(tasks); /* and the file */
  else if (file >= 0)
    file_close(file);
  errno = saved;
  return found;
}

bool maps_stack(pthread_t thread, uintptr_t *low, uintptr_t *high)
{
  pthread_attr_t attributes;
  void *start;
  size_t bytes;
  int saved = errno;
  bool found = self_system.attributes(thread, &attributes) == 0;
  if (found) {
    found = pthread_attr_getstack(&attributes, &start, &bytes) == 0;
    pthread_attr_destroy(&attributes);
  }
  if (found) {
    *low = (uintptr_t)start;
    *high = (uintptr_t)start + bytes;
  }
  errno = saved;
  return found;
}

/* ---- variables: the symbol table of the file, static ones included ---- */

struct module {
  uintptr_t address;
  uintptr_t in_file; /* the address as the file's symbols have it */
  char path[4096];
};

static int visit_object(struct dl_phdr_info *object, size_t size, void *context)
{
  struct module *module = context;
  uintptr_t address = module->address - object->dlpi_addr;
  (void)size;
  for (size_t i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD ||
        address - segment->p_vaddr >= segment->p_memsz)
      continue;
    module->in_file = address;
    snprintf(module->path, sizeof module->path, "%s",
             *object->dlpi_name ? object->dlpi_name : "/proc/self/exe");
    return 1;
  }
  return 0;
}

struct variable {
  uintptr_t address;
  char *text;
  size_t size;
};

static bool visit_symbol(void *context, const ElfW(Sym) * symbol,
                         const char *name)
{
  const struct variable *variable = context;
  size_t offset = (size_t)(variable->address - symbol->st_value);
  if ((symbol->st_info & 15) != STT_OBJECT || offset >= symbol->st_size)
    return false;
  snprintf(variable->text, variable->size, "%.128s+%zu", name, offset);
  return true;
}

bool maps_variable(uintptr_t address, char *text, size_t size)
{
  int saved = errno;
  struct module module = {.address = address};
  struct image image;
  char name[192], self[4096];
  if (!dl_iterate_phdr(visit_object, &module)) {
    errno = saved;
    return false;
  }
  snprintf(name, sizeof name, "data+0x%zx", (size_t)module.in_file);
  if (image_open(&image, module.path)) {
    struct variable variable = {module.in_file, name, sizeof name};
    image_symbols(&image, visit_symbol, &variable);
    image_close(&image);
  }
  if (file_read_link(module.path, self, sizeof self))
    snprintf(module.path, sizeof module.path, "%s", self);
  snprintf(text, size, "%s (%s)", name, last_part(module.path));
  errno = saved;
  return true;
}
