/* SPDX-License-Identifier: MIT */
/* symbol.c -- the function, file and line of a return address
 *
 *   return address --> module and address in its file (dynamic linker)
 *                  --> addr2line --> what it prints, in one line
 *
 * Reading line tables takes a library of some size, or the program that every
 * toolchain has.  It is run once a name, and only while a report is written;
 * where it is missing, names go without lines.
 *
 * Any thread, no lock.  The child is a child of the process like any other: a
 * program that waits for all its children may reap it first, which is harmless.
 *
 * Tested by tests/unit/symbol.c. */
#include "os/symbol.h"

#include "os/clock.h"
#include "os/file.h"
#include "os/unwind.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <link.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

/* A file with gigabytes of line tables takes seconds; beyond this the report
 * is worth more than the line. */
enum { ANSWER_MS = 10 * 1000 };

struct module {
  uintptr_t pc;
  uintptr_t address; /* of the call, as the file has it */
  char path[PATH_MAX];
};

static bool has_address(const struct dl_phdr_info *object, uintptr_t address)
{
  for (size_t i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type == PT_LOAD &&
        address - segment->p_vaddr < segment->p_memsz)
      return true;
  }
  return false;
}

static int visit(struct dl_phdr_info *object, size_t size, void *context)
{
  struct module *module = context;
  /* The call before pc: pc itself may belong to the next line, or function. */
  uintptr_t address = module->pc - 1 - object->dlpi_addr;
  (void)size;
  if (!has_address(object, address))
    return 0;
  module->address = address;
  const char *path =
      object->dlpi_name[0] ? object->dlpi_name : "/proc/self/exe";
  snprintf(module->path, sizeof module->path, "%s", path);
  return 1;
}

/* The child would find another program behind /proc/self. */
static bool find_module(uintptr_t pc, struct module *module)
{
  char path[PATH_MAX];
  module->pc = pc;
  if (!pc || !dl_iterate_phdr(visit, module))
    return false;
  if (strncmp(module->path, "/proc/", 6) == 0 &&
      file_read_link(module->path, path, sizeof path))
    snprintf(module->path, sizeof module->path, "%s", path);
  return true;
}

/* Starts addr2line with its output in `end`; false: there is none. */
static bool start(const struct module *module, int end, pid_t *child)
{
  char address[32];
  posix_spawn_file_actions_t files;
  posix_spawnattr_t attributes;
  sigset_t none;
  snprintf(address, sizeof address, "0x%" PRIxPTR, module->address);
  char *arguments[] = {"addr2line",          "-Cfips", "-e",
                       (char *)module->path, address,  NULL};
  if (posix_spawn_file_actions_init(&files) != 0)
    return false;
  if (posix_spawnattr_init(&attributes) != 0) {
    posix_spawn_file_actions_destroy(&files);
    return false;
  }
  sigemptyset(&none);
  bool done =
      posix_spawnattr_setsigmask(&attributes, &none) == 0 &&
      posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK) == 0 &&
      posix_spawn_file_actions_adddup2(&files, end, STDOUT_FILENO) == 0 &&
      posix_spawn_file_actions_addopen(&files, STDIN_FILENO, "/dev/null",
                                       O_RDONLY, 0) == 0 &&
      posix_spawn_file_actions_addopen(&files, STDERR_FILENO, "/dev/null",
                                       O_WRONLY, 0) == 0 &&
      posix_spawnp(child, "addr2line", &files, &attributes, arguments,
                   environ) == 0;
  posix_spawnattr_destroy(&attributes);
  posix_spawn_file_actions_destroy(&files);
  return done;
}

/* Reads to the end, as much as fits; false: it took too long. */
static bool read_answer(int end, char *text, size_t size)
{
  uint64_t deadline = clock_now() + (uint64_t)ANSWER_MS * 1000000;
  size_t length = 0;
  for (;;) {
    uint64_t now = clock_now();
    struct pollfd wanted = {.fd = end, .events = POLLIN};
    if (now >= deadline)
      return false;
    int ready = poll(&wanted, 1, (int)((deadline - now) / 1000000) + 1);
    if (ready < 0 && errno != EINTR)
      return false;
    if (ready <= 0)
      continue;
    char rest[256]; /* what does not fit is read too, or the child waits */
    bool fits = length < size - 1;
    ssize_t got = fits ? file_read(end, text + length, size - 1 - length)
                       : file_read(end, rest, sizeof rest);
    if (got <= 0)
      break;
    length += fits ? (size_t)got : 0;
  }
  text[length] = '\0';
  return true;
}

static bool ask(const struct module *module, char *text, size_t size)
{
  int ends[2];
  pid_t child;
  if (!file_pipe(ends))
    return false;
  bool done = start(module, ends[1], &child);
  file_close(ends[1]);
  if (done) {
    done = read_answer(ends[0], text, size);
    if (!done)
      kill(child, SIGKILL);
    while (waitpid(child, NULL, 0) < 0 && errno == EINTR)
      continue;
  }
  file_close(ends[0]);
  return done;
}

/* addr2line prints a line for each function, "f at a.c:3" and then " (inlined
 * by) g at a.c:9"; "??" stands for what it does not know.  Joins them; false:
 * there is no line among them. */
static bool join_lines(char *answer, char *text, size_t size)
{
  char *rest;
  size_t used = 0;
  for (char *line = strtok_r(answer, "\n", &rest); line;
       line = strtok_r(NULL, "\n", &rest)) {
    static const char inlined[] = " (inlined by) ";
    if (strncmp(line, inlined, sizeof inlined - 1) == 0)
      line += sizeof inlined - 1;
    char *note = strstr(line, " (discriminator ");
    if (note)
      *note = '\0';
    if (strstr(line, "??") || strncmp(line, "dusk_", 5) == 0)
      continue;
    int more =
        snprintf(text + used, size - used, "%s%s", used ? ", in " : "", line);
    if (more < 0 || (size_t)more >= size - used)
      return true; /* cut short */
    used += (size_t)more;
  }
  return used > 0;
}

static void add_module(char *text, size_t size, const char *path)
{
  const char *slash = strrchr(path, '/');
  size_t used = strlen(text);
  snprintf(text + used, size - used, " (%s)", slash ? slash + 1 : path);
}

void symbol_print(uintptr_t pc, char *text, size_t size)
{
  struct module module;
  char answer[2048];
  int saved = errno;
  if (find_module(pc, &module) && ask(&module, answer, sizeof answer) &&
      join_lines(answer, text, size))
    add_module(text, size, module.path);
  else
    unwind_name(pc, text, size);
  errno = saved;
}
