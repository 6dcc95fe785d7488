/* SPDX-License-Identifier: MIT */
/* scenario_find.c -- scenarios by name, and a list of them
 *
 * TESTED  tests/lab/sim.sh */
#include "scenario.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static bool is_scenario(const char *file)
{
  size_t length = strlen(file);
  size_t suffix = strlen(SCENARIO_SUFFIX);
  return length > suffix && file[0] != '.' &&
         strcmp(file + length - suffix, SCENARIO_SUFFIX) == 0;
}

static int select_scenarios(const struct dirent *entry)
{
  return is_scenario(entry->d_name);
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
  return strcmp((*a)->d_name, (*b)->d_name);
}

static const char *skip_joints(const char *text)
{
  return text + strspn(text, "-_");
}

/* "SteadyBigStacks" is steady_big_stacks.sim. */
static bool is_called(const char *file, const char *name)
{
  size_t length = strlen(file) - strlen(SCENARIO_SUFFIX);
  const char *end = file + length;
  for (;;) {
    file = skip_joints(file);
    name = skip_joints(name);
    if (file >= end || !*name)
      return file == end && !*name;
    if (tolower((unsigned char)*file++) != tolower((unsigned char)*name++))
      return false;
  }
}

static int scan(const char *folder, struct dirent ***entries,
                struct sim_message *message)
{
  int n = scandir(folder, entries, select_scenarios, by_bytes);
  if (n < 0)
    snprintf(message->text, sizeof message->text,
             "cannot list the scenarios in %.256s: %s", folder,
             strerror(errno));
  return n;
}

static char *path_in(const char *folder, const char *file)
{
  char *path;
  return asprintf(&path, "%s/%s", folder, file) < 0 ? NULL : path;
}

static void free_entries(struct dirent **entries, int n)
{
  while (n > 0)
    free(entries[--n]);
  free(entries);
}

char *scenario_find(const char *name, const char *folder,
                    struct sim_message *message)
{
  if (strchr(name, '/') || access(name, F_OK) == 0)
    return strdup(name);
  struct dirent **entries = NULL;
  struct sim_message ignored;
  int n = scan(folder, &entries, &ignored);
  char *path = NULL;
  for (int i = 0; i < n && !path; i++)
    if (is_called(entries[i]->d_name, name))
      path = path_in(folder, entries[i]->d_name);
  free_entries(entries, n);
  if (!path)
    snprintf(message->text, sizeof message->text,
             "there is no scenario '%s': no such file, and none of that name "
             "in %.256s; `dusk-lab sim --list` lists them",
             expr_excerpt(name, 0).text, folder);
  return path;
}

/* Its first line, if that is a comment. */
static void print_description(const char *path)
{
  char line[256] = "";
  FILE *stream = path ? fopen(path, "re") : NULL;
  if (stream) {
    if (!fgets(line, sizeof line, stream))
      line[0] = '\0';
    fclose(stream);
  }
  line[strcspn(line, "\n")] = '\0';
  if (line[0] == '#')
    printf("%s", line + 1 + strspn(line + 1, " "));
  putchar('\n');
}

bool scenario_list(const char *folder, struct sim_message *message)
{
  struct dirent **entries = NULL;
  int n = scan(folder, &entries, message);
  for (int i = 0; i < n; i++) {
    const char *file = entries[i]->d_name;
    char *path = path_in(folder, file);
    printf("%-36.*s ", (int)(strlen(file) - strlen(SCENARIO_SUFFIX)), file);
    print_description(path);
    free(path);
  }
  free_entries(entries, n);
  return n >= 0;
}
