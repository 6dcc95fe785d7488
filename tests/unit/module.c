/* SPDX-License-Identifier: MIT */
/* Test of os/module.c and os/image.c: where code is mapped, and what its
 * functions are called. */
#include "unit.h"

#include "os/image.h"
#include "os/module.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

static NOINLINE void a_static_function(void)
{
  __asm__ volatile("nop; nop");
}

static const struct module *module_of(const struct module *modules,
                                      size_t count, uintptr_t address)
{
  for (size_t i = 0; i < count; i++)
    if (address >= modules[i].start && address < modules[i].end)
      return &modules[i];
  return NULL;
}

START_TEST(the_program_comes_first)
{
  size_t count;
  char self[PATH_MAX];
  ssize_t length = readlink("/proc/self/exe", self, sizeof self - 1);
  ck_assert_int_gt(length, 0);
  self[length] = '\0';
  errno = ERANGE;
  struct module *modules = modules_read(&count);
  ck_assert_int_eq(errno, ERANGE);
  ck_assert_ptr_nonnull(modules);
  ck_assert_uint_gt(count, 1);
  ck_assert_str_eq(modules[0].path, self);
  const struct module *own =
      module_of(modules, count, (uintptr_t)a_static_function);
  ck_assert_ptr_nonnull(own);
  ck_assert_str_eq(own->path, self);
  const struct module *libc = module_of(modules, count, (uintptr_t)strlen);
  ck_assert_ptr_nonnull(libc);
  ck_assert_ptr_ne(libc, own);
  free(modules);
}
END_TEST

/* As the system has it: the same stretch, at the same place in the file. */
START_TEST(mappings_are_those_of_proc)
{
  size_t count, found = 0;
  char line[PATH_MAX + 256], access[8];
  unsigned long start, end, offset;
  struct module *modules = modules_read(&count);
  FILE *maps = fopen("/proc/self/maps", "r");
  ck_assert_ptr_nonnull(maps);
  while (fgets(line, sizeof line, maps)) {
    if (sscanf(line, "%lx-%lx %7s %lx", &start, &end, access, &offset) != 4 ||
        strcmp(access, "r-xp") != 0)
      continue;
    const struct module *module = module_of(modules, count, start);
    if (!module || module->path[0] != '/')
      continue;
    found++;
    ck_assert_uint_eq(module->start, start);
    ck_assert_uint_eq(module->end, end);
    ck_assert_uint_eq(module->offset, offset);
    ck_assert_ptr_nonnull(strstr(line, module->path));
  }
  fclose(maps);
  ck_assert_uint_gt(found, 1);
  free(modules);
}
END_TEST

START_TEST(build_ids_are_hex)
{
  size_t count, with = 0;
  struct module *modules = modules_read(&count);
  for (size_t i = 0; i < count; i++) {
    size_t length = strlen(modules[i].build_id);
    ck_assert_uint_eq(strspn(modules[i].build_id, "0123456789abcdef"), length);
    ck_assert_uint_eq(length % 2, 0);
    with += length >= 16;
  }
  ck_assert_uint_gt(with, 0); /* the C library's, at least */
  free(modules);
}
END_TEST

static char names[4][64];
static unsigned calls;

static void note_name(void *context, size_t i, const char *name)
{
  ck_assert_ptr_eq(context, names);
  ck_assert_uint_lt(i, 4);
  ck_assert_str_eq(names[i], "");
  snprintf(names[i], sizeof names[i], "%s", name);
  calls++;
}

START_TEST(functions_have_names)
{
  size_t count;
  struct module *modules = modules_read(&count);
  uintptr_t own = (uintptr_t)a_static_function;
  uintptr_t addresses[4] = {1, own, own + 1, UINTPTR_MAX};
  const struct module *module = module_of(modules, count, own);
  errno = ERANGE;
  module_functions(module, addresses, 4, note_name, names);
  ck_assert_int_eq(errno, ERANGE);
  ck_assert_str_eq(names[0], "");
  ck_assert_str_eq(names[1], "a_static_function");
  ck_assert_str_eq(names[2], "a_static_function");
  ck_assert_str_eq(names[3], "");
  ck_assert_uint_eq(calls, 2);
  free(modules);
}
END_TEST

static bool see(void *context, const ElfW(Sym) * symbol, const char *name)
{
  (void)symbol;
  *(size_t *)context += strlen(name) + 1;
  return false;
}

/* Each byte of the tables that say where the tables are, spoilt: nothing
 * outside of the file is read, and it ends. */
START_TEST(a_spoilt_file_does_no_harm)
{
  static char copy[] = "/tmp/dusk-image.XXXXXX";
  struct image image;
  size_t seen = 0;
  ck_assert(image_open(&image, "/proc/self/exe"));
  ck_assert(!image_symbols(&image, see, &seen));
  ck_assert_uint_gt(seen, 100);
  const ElfW(Ehdr) *header = (const void *)image.bytes;
  size_t at =
      _i < 64 ? (size_t)_i : (size_t)header->e_shoff + (size_t)(_i - 64) * 8;
  int file = mkstemp(copy);
  ck_assert_int_eq(write(file, image.bytes, image.size), (ssize_t)image.size);
  ck_assert_int_eq(
      pwrite(file, "\xff\xfe\xfd\xfc\xfb\xfa\xf9\xf8", 8, (off_t)at), 8);
  close(file);
  struct image spoilt;
  ck_assert(image_open(&spoilt, copy));
  image_symbols(&spoilt, see, &seen);
  image_close(&spoilt);
  image_close(&image);
  unlink(copy);
}
END_TEST

START_TEST(what_is_no_file_is_not_opened)
{
  struct image image;
  errno = ERANGE;
  ck_assert(!image_open(&image, "/no/such/file"));
  ck_assert(!image_open(&image, "/dev/null"));
  ck_assert(!image_open(&image, "/tmp"));
  ck_assert_int_eq(errno, ERANGE);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("module");
  TCase *cases = tcase_create("module");
  tcase_set_timeout(cases, 60);
  tcase_add_test(cases, the_program_comes_first);
  tcase_add_test(cases, mappings_are_those_of_proc);
  tcase_add_test(cases, build_ids_are_hex);
  tcase_add_test(cases, functions_have_names);
  tcase_add_loop_test(cases, a_spoilt_file_does_no_harm, 0, 64 + 120);
  tcase_add_test(cases, what_is_no_file_is_not_opened);
  suite_add_tcase(suite, cases);
  return unit_run(suite);
}
