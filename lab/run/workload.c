/* SPDX-License-Identifier: MIT */
/* workload.c -- what can be run; see workload.h
 *
 * Examples are looked for beside this program, as in the tree where it was
 * built, and then where they were installed. */
#include "workload.h"

#include "lab/show/value.h"
#include "lab/work/work.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { WORDS_MAX = 32 };

static const struct example {
  const char *name;
  const char *about;
  const char *path; /* from the folder of examples */
  const char *full[6];
  const char *quick[6];
} examples[] = {
    {"trees",
     "the example: binary trees built and dropped",
     "trees",
     {"16", "2"},
     {"14", "2"}},
    {"words",
     "the example: a concordance of /usr/include",
     "words/words",
     {"--quiet", "--top", "1"},
     {"--quiet", "--top", "1"}},
};

enum { EXAMPLES = sizeof examples / sizeof examples[0] };

static char *copy(const char *text)
{
  char *copied = strdup(text);
  if (!copied)
    work_fail("no memory for a command line", ENOMEM);
  return copied;
}

static char **argv_make(void)
{
  char **argv = calloc(WORDS_MAX + 1, sizeof *argv);
  if (!argv)
    work_fail("no memory for a command line", ENOMEM);
  return argv;
}

/* This program's own file; examples stand at ../examples from its folder. */
static bool self_path(char path[PATH_MAX])
{
  ssize_t length = readlink("/proc/self/exe", path, PATH_MAX - 1);
  if (length <= 0)
    return false;
  path[length] = '\0';
  return true;
}

static char *example_path(const struct example *example)
{
  char self[PATH_MAX];
  char path[PATH_MAX + 64];
  if (self_path(self)) {
    /* .../lab/dusk-lab, or .../lab/.libs/dusk-lab */
    for (int up = 0; up < 2; up++) {
      char *slash = strrchr(self, '/');
      if (!slash)
        break;
      *slash = '\0';
      snprintf(path, sizeof path, "%s/../examples/%s", self, example->path);
      if (!access(path, X_OK))
        return copy(path);
    }
  }
  const char *base = strrchr(example->path, '/');
  snprintf(path, sizeof path, "%s/%s", DUSK_LAB_EXAMPLES,
           base ? base + 1 : example->path);
  return access(path, X_OK) ? NULL : copy(path);
}

static bool work_options(struct workload *workload, const struct work *work,
                         char *options, bool quick, char *message, size_t size)
{
  char self[PATH_MAX];
  char *items[WORDS_MAX - 4];
  size_t count = options ? value_split(options, items, WORDS_MAX - 4) : 0;
  if (options && !count) {
    snprintf(message, size, "'%s': an option is empty, or they are too many",
             workload->name);
    return false;
  }
  if (!self_path(self)) {
    snprintf(message, size, "cannot read /proc/self/exe: %s", strerror(errno));
    return false;
  }
  char **argv = workload->argv = argv_make();
  size_t words = 0;
  argv[words++] = copy(self);
  argv[words++] = copy("work");
  argv[words++] = copy(work->name);
  if (quick)
    argv[words++] = copy("--quick");
  for (size_t i = 0; i < count; i++) {
    char option[128];
    snprintf(option, sizeof option, "--%s", items[i]);
    argv[words++] = copy(option);
  }
  return true;
}

static bool example_find(struct workload *workload, const char *name,
                         bool quick, char *message, size_t size)
{
  for (size_t i = 0; i < EXAMPLES; i++) {
    if (strcmp(examples[i].name, name))
      continue;
    workload->argv = argv_make();
    workload->argv[0] = example_path(&examples[i]);
    if (!workload->argv[0]) {
      snprintf(message, size,
               "the example '%s' is neither beside this program nor in %s",
               name, DUSK_LAB_EXAMPLES);
      return false;
    }
    const char *const *words = quick ? examples[i].quick : examples[i].full;
    for (size_t word = 0; word < 6 && words[word]; word++)
      workload->argv[word + 1] = copy(words[word]);
    return true;
  }
  snprintf(message, size, "there is no workload '%s'; --list lists them", name);
  return false;
}

bool workload_find(struct workload *workload, const char *text, bool quick,
                   char *message, size_t size)
{
  workload->name = copy(text);
  char *name = copy(text);
  char *options = strchr(name, ':');
  if (options)
    *options++ = '\0';
  const struct work *work = work_find(name);
  bool found = false;
  if (work)
    found = work_options(workload, work, options, quick, message, size);
  else if (options)
    snprintf(message, size, "'%s': only built-in workloads take options", text);
  else
    found = example_find(workload, name, quick, message, size);
  free(name);
  return found;
}

void workload_command(struct workload *workload, char **argv)
{
  char name[64];
  workload->argv = argv;
  workload_print(workload, name, sizeof name);
  workload->name = copy(name);
}

void workload_list(FILE *to)
{
  for (size_t i = 0; work_all[i]; i++)
    fprintf(to, "  %-12s %s\n", work_all[i]->name, work_all[i]->about);
  fprintf(to, "  %-12s %s\n", "pool:reuse", "the same with its pool");
  for (size_t i = 0; i < EXAMPLES; i++)
    fprintf(to, "  %-12s %s\n", examples[i].name, examples[i].about);
}

void workload_print(const struct workload *workload, char *text, size_t size)
{
  size_t used = 0;
  *text = '\0';
  for (char **word = workload->argv; *word; word++) {
    const char *shown = *word;
    if (word == workload->argv && strrchr(shown, '/'))
      shown = strrchr(shown, '/') + 1;
    const char *quote = *shown && !strpbrk(shown, " \t\n'\"$*;&|<>") ? "" : "'";
    int length = snprintf(text + used, size - used, "%s%s%s%s", used ? " " : "",
                          quote, shown, quote);
    used += (size_t)length;
    if (used >= size) {
      memcpy(text + size - 4, "...", 4);
      return;
    }
  }
}
