/* SPDX-License-Identifier: MIT */
/* module.c -- the code of this process: its files, and functions in them
 *
 * The dynamic linker knows what is mapped where; build ids are read from the
 * notes in memory, names from the file, each symbol table in one pass.
 *
 * Any thread, no lock.  Tested by tests/unit/module.c. */
#include "os/module.h"

#include "os/block.h"
#include "os/image.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

struct list {
  struct module *modules;
  size_t count;
  size_t room;
  bool failed;
};

/* The absolute path; "/proc/self/exe" stands for the program. */
static void find_path(const char *name, char *path)
{
  char real[PATH_MAX];
  if (*name && !strchr(name, '/')) {
    snprintf(path, PATH_MAX, "[vdso]"); /* in no file */
    return;
  }
  if (!realpath(*name ? name : "/proc/self/exe", real))
    snprintf(real, sizeof real, "%s", name);
  memcpy(path, real, strlen(real) + 1);
}

static void print_hex(char *to, size_t room, const unsigned char *bytes,
                      size_t count)
{
  for (size_t i = 0; i < count && 2 * i + 2 < room; i++)
    snprintf(to + 2 * i, 3, "%02x", bytes[i]);
}

/* In the notes of a segment: name and descriptor are padded to words. */
static void find_build_id(const struct dl_phdr_info *object,
                          const ElfW(Phdr) * segment, char *id, size_t room)
{
  const char *at = (const char *)object->dlpi_addr + segment->p_vaddr;
  size_t left = segment->p_memsz;
  const ElfW(Nhdr) * note;
  while (left > sizeof *note) {
    note = (const void *)at;
    size_t name = ((size_t)note->n_namesz + 3) & ~(size_t)3;
    size_t bytes = ((size_t)note->n_descsz + 3) & ~(size_t)3;
    if (name > left - sizeof *note || bytes > left - sizeof *note - name)
      return;
    const char *text = at + sizeof *note;
    if (note->n_type == NT_GNU_BUILD_ID && note->n_namesz == 4 &&
        memcmp(text, "GNU", 4) == 0)
      print_hex(id, room, (const unsigned char *)text + name, note->n_descsz);
    at += sizeof *note + name + bytes;
    left -= sizeof *note + name + bytes;
  }
}

static struct module *add(struct list *list)
{
  if (list->count == list->room) {
    size_t room = list->room ? 2 * list->room : 16;
    struct module *grown =
        block_resize(list->modules, room * sizeof *list->modules);
    if (!grown)
      return NULL;
    list->modules = grown;
    list->room = room;
  }
  struct module *module = &list->modules[list->count++];
  memset(module, 0, sizeof *module);
  return module;
}

static int visit_object(struct dl_phdr_info *object, size_t size, void *context)
{
  struct list *list = context;
  uintptr_t unit = (uintptr_t)sysconf(_SC_PAGESIZE);
  char id[sizeof list->modules->build_id] = "";
  (void)size;
  for (unsigned i = 0; i < object->dlpi_phnum; i++)
    if (object->dlpi_phdr[i].p_type == PT_NOTE && !*id)
      find_build_id(object, &object->dlpi_phdr[i], id, sizeof id);
  for (unsigned i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || !(segment->p_flags & PF_X))
      continue;
    struct module *module = add(list);
    if (!module) {
      list->failed = true;
      return 1;
    }
    uintptr_t start = object->dlpi_addr + segment->p_vaddr;
    module->bias = object->dlpi_addr;
    module->start = start & ~(unit - 1);
    module->end = (start + segment->p_memsz + unit - 1) & ~(unit - 1);
    module->offset = segment->p_offset & ~(uint64_t)(unit - 1);
    memcpy(module->build_id, id, sizeof id);
    find_path(object->dlpi_name, module->path);
  }
  return 0;
}

struct module *modules_read(size_t *count)
{
  int saved = errno;
  struct list list = {0};
  dl_iterate_phdr(visit_object, &list);
  if (list.failed) {
    block_free(list.modules);
    list = (struct list){0};
  }
  *count = list.count;
  errno = saved;
  return list.modules;
}

/* ---- functions ---- */

struct search {
  const struct module *module;
  const uintptr_t *addresses; /* of the module alone */
  size_t first;               /* the caller's number of the first of them */
  size_t count;
  size_t left; /* that have no name yet */
  bool *has_name;
  void (*named)(void *context, size_t i, const char *name);
  void *context;
};

/* The first address that is not below `at`. */
static size_t lower_bound(const uintptr_t *addresses, size_t count,
                          uintptr_t at)
{
  size_t low = 0;
  while (low < count) {
    size_t middle = low + (count - low) / 2;
    if (addresses[middle] < at)
      low = middle + 1;
    else
      count = middle;
  }
  return low;
}

static bool visit_function(void *context, const ElfW(Sym) * symbol,
                           const char *name)
{
  struct search *search = context;
  unsigned type = symbol->st_info & 15;
  if ((type != STT_FUNC && type != STT_GNU_IFUNC) ||
      symbol->st_shndx == SHN_UNDEF || !*name)
    return false;
  uintptr_t start = search->module->bias + symbol->st_value;
  size_t i = lower_bound(search->addresses, search->count, start);
  for (; i < search->count && search->addresses[i] - start < symbol->st_size;
       i++) {
    if (search->has_name[i])
      continue;
    search->has_name[i] = true;
    search->left--;
    search->named(search->context, search->first + i, name);
  }
  return search->left == 0;
}

void module_functions(const struct module *module, const uintptr_t *addresses,
                      size_t count,
                      void (*named)(void *context, size_t i, const char *name),
                      void *context)
{
  int saved = errno;
  struct image image;
  size_t first = lower_bound(addresses, count, module->start);
  size_t end = lower_bound(addresses, count, module->end);
  struct search search = {
      .module = module,
      .addresses = addresses + first,
      .first = first,
      .count = end - first,
      .left = end - first,
      .named = named,
      .context = context,
  };
  if (first < end && (search.has_name = block_make(end - first))) {
    if (image_open(&image, module->path)) {
      image_symbols(&image, visit_function, &search);
      image_close(&image);
    }
    block_free(search.has_name);
  }
  errno = saved;
}
