/* SPDX-License-Identifier: MIT */
/* work.c -- dusk-lab work: runs a built-in workload
 *
 * Reads its options from its table, runs it, and adds the figure `peak`. */
#include "work.h"

#include "lab/lab.h"
#include "lab/option.h"
#include "lab/show/value.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Beyond every character. */
enum { KEY_QUICK = 256, KEY_HELP, KEY_OPTIONS };

static int work_list(void)
{
  printf("usage: dusk-lab work NAME [OPTION]...\n\n"
         "Runs one of the built-in workloads and prints what it measured.\n\n");
  for (size_t i = 0; work_all[i]; i++)
    printf("  %-8s %s\n", work_all[i]->name, work_all[i]->about);
  printf("\n`dusk-lab work NAME --help` lists the options of one.\n");
  return EXIT_SUCCESS;
}

static int work_help(const struct work *work)
{
  printf("usage: dusk-lab work %s [OPTION]...\n\n%s.\n\n", work->name,
         work->about);
  for (const struct work_option *row = work->options; row->name; row++) {
    char left[32];
    snprintf(left, sizeof left, "--%s%s", row->name,
             row->is_switch ? "" : " N");
    printf("  %-16s %s", left, row->about);
    if (!row->is_switch)
      printf(" [%llu; quick: %llu]", (unsigned long long)row->value,
             (unsigned long long)row->quick);
    printf("\n");
  }
  printf("  %-16s small sizes, to try it\n  %-16s show this text\n", "--quick",
         "--help");
  printf("\nN may end in KiB, MiB or GiB.\n");
  return EXIT_SUCCESS;
}

static void work_take(const struct work *work, size_t index, const char *text,
                      uint64_t *values)
{
  const struct work_option *row = &work->options[index];
  uint64_t value = 1;
  if (!row->is_switch && (!value_read_bytes(text, &value) || value < row->low ||
                          value > row->high))
    lab_refuse("work %s: --%s: '%s' is not a number from %llu to %llu",
               work->name, row->name, text, (unsigned long long)row->low,
               (unsigned long long)row->high);
  values[index] = value;
}

/* Returns false if help was asked for, and given. */
static bool work_read(const struct work *work, int argc, char **argv,
                      uint64_t *values)
{
  struct option known[WORK_OPTIONS_MAX + 3] = {
      {"quick", no_argument, NULL, KEY_QUICK},
      {"help", no_argument, NULL, KEY_HELP}};
  bool given[WORK_OPTIONS_MAX] = {false};
  bool quick = false;
  for (size_t i = 0; work->options[i].name; i++) {
    const struct work_option *row = &work->options[i];
    known[i + 2] = (struct option){
        row->name, row->is_switch ? no_argument : required_argument, NULL,
        KEY_OPTIONS + (int)i};
    values[i] = row->value;
  }
  opterr = 0;
  int key;
  while ((key = getopt_long(argc, argv, ":", known, NULL)) != -1) {
    if (key == KEY_HELP)
      return work_help(work), false;
    if (key < KEY_QUICK) {
      char command[32];
      snprintf(command, sizeof command, "work %s", work->name);
      option_refuse(command, known, key, argv);
    }
    quick |= key == KEY_QUICK;
    if (key < KEY_OPTIONS)
      continue;
    work_take(work, (size_t)(key - KEY_OPTIONS), optarg, values);
    given[key - KEY_OPTIONS] = true;
  }
  if (optind < argc)
    lab_refuse("work %s: '%s' is not an option", work->name, argv[optind]);
  for (size_t i = 0; quick && work->options[i].name; i++)
    if (!given[i])
      values[i] = work->options[i].quick;
  return true;
}

int lab_work(int argc, char **argv)
{
  if (argc < 2)
    lab_refuse("work: which? `dusk-lab work --help` lists the workloads");
  if (!strcmp(argv[1], "--help") || !strcmp(argv[1], "--list"))
    return work_list();
  const struct work *work = work_find(argv[1]);
  if (!work)
    lab_refuse("work: there is no workload '%s'; `dusk-lab work --help` lists "
               "them",
               argv[1]);
  uint64_t values[WORK_OPTIONS_MAX];
  if (!work_read(work, argc - 1, argv + 1, values))
    return EXIT_SUCCESS;
  work->run(values);
  measure_figure_peak();
  return EXIT_SUCCESS;
}
