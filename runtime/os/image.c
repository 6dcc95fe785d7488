/* SPDX-License-Identifier: MIT */
/* image.c -- a file of code, looked at in memory; and its symbols
 *
 * Any thread, no lock.  Tested by tests/unit/maps.c and tests/unit/module.c. */
#include "os/image.h"

#include "os/file.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>

bool image_open(struct image *image, const char *path)
{
  int saved = errno;
  struct stat status;
  void *bytes = MAP_FAILED;
  int file = file_open(path, O_RDONLY);
  if (file >= 0) {
    if (fstat(file, &status) == 0 &&
        status.st_size >= (off_t)sizeof(ElfW(Ehdr)))
      bytes =
          mmap(NULL, (size_t)status.st_size, PROT_READ, MAP_PRIVATE, file, 0);
    file_close(file);
  }
  *image =
      (struct image){bytes, bytes == MAP_FAILED ? 0 : (size_t)status.st_size};
  errno = saved;
  return bytes != MAP_FAILED;
}

void image_close(const struct image *image)
{
  munmap((void *)image->bytes, image->size);
}

/* A part of the file; NULL: it is beyond its end. */
static const void *part(const struct image *image, uint64_t offset,
                        uint64_t bytes)
{
  return offset <= image->size && bytes <= image->size - offset
             ? image->bytes + offset
             : NULL;
}

static bool visit_table(const struct image *image, const ElfW(Shdr) * table,
                        const ElfW(Shdr) * strings,
                        bool (*visit)(void *context, const ElfW(Sym) * symbol,
                                      const char *name),
                        void *context)
{
  const ElfW(Sym) *symbols = part(image, table->sh_offset, table->sh_size);
  const char *names = part(image, strings->sh_offset, strings->sh_size);
  size_t count = table->sh_size / sizeof *symbols;
  /* The last name must end within the table. */
  if (!symbols || !names || !strings->sh_size || names[strings->sh_size - 1])
    return false;
  for (size_t i = 0; i < count; i++)
    if (symbols[i].st_name < strings->sh_size &&
        visit(context, &symbols[i], names + symbols[i].st_name))
      return true;
  return false;
}

static bool visit_tables(const struct image *image, uint32_t type,
                         bool (*visit)(void *context, const ElfW(Sym) * symbol,
                                       const char *name),
                         void *context)
{
  const ElfW(Ehdr) *header = part(image, 0, sizeof *header);
  if (!header || memcmp(header->e_ident, ELFMAG, SELFMAG) != 0)
    return false;
  const ElfW(Shdr) *sections = part(
      image, header->e_shoff, (uint64_t)header->e_shnum * sizeof(ElfW(Shdr)));
  for (unsigned i = 0; sections && i < header->e_shnum; i++)
    if (sections[i].sh_type == type && sections[i].sh_link < header->e_shnum &&
        visit_table(image, &sections[i], &sections[sections[i].sh_link], visit,
                    context))
      return true;
  return false;
}

bool image_symbols(const struct image *image,
                   bool (*visit)(void *context, const ElfW(Sym) * symbol,
                                 const char *name),
                   void *context)
{
  return visit_tables(image, SHT_SYMTAB, visit, context) ||
         visit_tables(image, SHT_DYNSYM, visit, context);
}
