/* SPDX-License-Identifier: MIT */
/* sim.c -- dusk-lab sim: what the pacer makes of a described program
 *
 * Options override the scenario, wherever on the line they stand; so they are
 * collected first, and applied when the scenario has been read.
 *
 * TESTED  tests/lab/sim.sh */
#include "lab/lab.h"
#include "scenario.h"
#include "print.h"

#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#ifndef DUSK_SCENARIOS
#error "the build says where scenarios are installed"
#endif

enum { SETTINGS_MAX = 32 };

/* Values of options that are no settings; a setting's is its number. */
enum {
  OPTION_SCENARIO = 1000,
  OPTION_FORMAT,
  OPTION_LIST,
  OPTION_FROM,
  OPTION_HELP
};

static const struct option others[] = {
    {"scenario", required_argument, NULL, OPTION_SCENARIO},
    {"format", required_argument, NULL, OPTION_FORMAT},
    {"from", required_argument, NULL, OPTION_FROM},
    {"list", no_argument, NULL, OPTION_LIST},
    {"help", no_argument, NULL, OPTION_HELP},
};

enum { OTHERS = sizeof others / sizeof others[0] };

struct request {
  const char *settings[SETTINGS_MAX]; /* NULL: not given */
  const char *scenario;               /* or NULL */
  const char *folder;                 /* of the scenarios that have names */
  bool csv;
  bool list;
  bool help;
};

static const char help_text[] =
    "usage: dusk-lab sim [OPTION]... [SCENARIO]\n"
    "\n"
    "Runs the collector's pacer against a program that is described by its\n"
    "rates, and prints a row for each cycle.\n"
    "\n"
    "  --policy NAME           go, dusk or balance: when to collect (go)\n"
    "  --trigger-low PERCENT   a cycle begins no earlier on the way from live\n"
    "  --trigger-high PERCENT  to goal, and no later (0: as the policy has "
    "it)\n"
    "  --gc-percent N|off      growth of the heap between cycles (100)\n"
    "  --memory-limit N|off    bytes for the heap (off)\n"
    "  --cores N               processors (8)\n"
    "  --globals BYTES         root ranges (32KiB)\n"
    "  --cycles N              how many to run (50)\n"
    "\n"
    "The program, by expressions that are drawn once a cycle:\n"
    "\n"
    "  --alloc EXPR      KiB that a processor allocates in a ms (33)\n"
    "  --scan EXPR       KiB that a processor marks in a ms (1024)\n"
    "  --growth EXPR     what survives over what did before (2 + ramp(-1,12))\n"
    "  --scannable EXPR  part of the heap that may hold pointers (1)\n"
    "  --stack EXPR      bytes of stack (8192)\n"
    "  --jump EXPR       bytes allocated at a stroke amid the marking (0)\n"
    "  --idle EXPR       part of the processors that it leaves to markers (0)\n"
    "\n"
    "EXPR is a sum of numbers (KiB, MiB... may follow) and of\n"
    "  ramp(h,n)  unit(a)  oscillate(a,phase,period)  random(a,seed)\n"
    "  seq(a,FILE)  delay(n,EXPR)  min(EXPR,x)  max(EXPR,x)\n"
    "\n"
    "  --scenario SCENARIO  the same as SCENARIO alone: a file with these\n"
    "                       settings, one a line, or the name of one that is\n"
    "                       installed; options override it\n"
    "  --from FOLDER        where named scenarios are, instead\n"
    "  --list               list them\n"
    "  --format csv|table   how to print (table)\n";

/* ---- the command line ---- */

static void fill_options(struct option *options)
{
  unsigned n = 0;
  for (; sim_setting_name(n); n++)
    options[n] =
        (struct option){sim_setting_name(n), required_argument, NULL, (int)n};
  memcpy(options + n, others, sizeof others);
  options[n + OTHERS] = (struct option){0};
}

static const char *name_of(const struct option *options, int value)
{
  while (options->name && options->val != value)
    options++;
  return options->name;
}

/* getopt's '?': optopt is the letter, or the value of a long option that got a
 * value it does not take, or 0. */
_Noreturn static void refuse_option(const struct option *options, char **argv)
{
  if (optopt > 0 && optopt < 256)
    lab_refuse("sim: there is no option '-%c'; `dusk-lab sim --help` lists "
               "them",
               optopt);
  if (optopt >= OPTION_SCENARIO)
    lab_refuse("sim: --%s takes no value", name_of(options, optopt));
  lab_refuse("sim: there is no option '%s', or several begin so; `dusk-lab sim "
             "--help` lists them",
             argv[optind - 1]);
}

static void choose_scenario(struct request *request, const char *name)
{
  if (request->scenario)
    lab_refuse("sim: one scenario at a time, and not '%s' besides '%s'", name,
               request->scenario);
  request->scenario = name;
}

static void choose_format(struct request *request, const char *name)
{
  request->csv = strcmp(name, "csv") == 0;
  if (!request->csv && strcmp(name, "table") != 0)
    lab_refuse("sim: --format: expected 'csv' or 'table', and found '%s'",
               name);
}

static void note_option(struct request *request, int option)
{
  switch (option) {
  case OPTION_SCENARIO:
    choose_scenario(request, optarg);
    break;
  case OPTION_FORMAT:
    choose_format(request, optarg);
    break;
  case OPTION_FROM:
    request->folder = optarg;
    break;
  case OPTION_LIST:
    request->list = true;
    break;
  case OPTION_HELP:
    request->help = true;
    break;
  default:
    request->settings[option] = optarg;
  }
}

static void read_line(struct request *request, int argc, char **argv)
{
  struct option options[SETTINGS_MAX + OTHERS + 1];
  fill_options(options);
  opterr = 0;
  int option;
  while ((option = getopt_long(argc, argv, ":", options, NULL)) != -1) {
    if (option == ':')
      lab_refuse("sim: --%s: its value is missing", name_of(options, optopt));
    if (option == '?')
      refuse_option(options, argv);
    note_option(request, option);
  }
  while (optind < argc)
    choose_scenario(request, argv[optind++]);
}

/* ---- the run ---- */

static void describe(const struct request *request, struct sim_program *program)
{
  struct sim_message message;
  if (request->scenario) {
    char *file = scenario_find(request->scenario, request->folder, &message);
    if (!file || !scenario_read(program, file, &message))
      lab_refuse("sim: %s", message.text);
    free(file);
  }
  for (unsigned i = 0; sim_setting_name(i); i++) {
    char where[64];
    snprintf(where, sizeof where, "--%s", sim_setting_name(i));
    if (request->settings[i] &&
        !sim_program_set(program, sim_setting_name(i), request->settings[i],
                         where, NULL, &message))
      lab_refuse("sim: %s", message.text);
  }
}

/* Rows are printed when all are there: half a run would pass for a whole one
 * where the exit status is lost. */
static void run(const struct request *request)
{
  struct sim_program program;
  struct sim_message message;
  sim_program_init(&program);
  describe(request, &program);
  struct sim_row *rows = calloc(program.cycles, sizeof *rows);
  if (!rows)
    lab_fail("sim: no memory for %u cycles", program.cycles);
  if (!sim_program_run(&program, rows, &message))
    lab_refuse("sim: %s", message.text);
  if (request->csv)
    sim_print_csv(rows, program.cycles);
  else
    sim_print_table(rows, program.cycles);
  free(rows);
  sim_program_clear(&program);
}

int lab_sim(int argc, char **argv)
{
  struct request request = {.folder = DUSK_SCENARIOS};
  struct sim_message message;
  read_line(&request, argc, argv);
  if (request.help)
    fputs(help_text, stdout);
  else if (!request.list)
    run(&request);
  else if (!scenario_list(request.folder, &message))
    lab_refuse("sim: %s", message.text);
  return EXIT_SUCCESS;
}
