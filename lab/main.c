/* SPDX-License-Identifier: MIT */
/* main.c -- dusk-lab: try out garbage collection settings before living with
 * them */
#include "lab.h"

#include <errno.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "dusk/types.h"

static const struct {
  const char *name;
  int (*run)(int argc, char **argv);
  const char *about;
} commands[] = {
    {"sim", lab_sim, "run the pacer against a described program"},
    {"run", lab_run, "run real programs over a grid of settings"},
    {"pauses", lab_pauses, "measure what delays the threads of one program"},
    {"work", lab_work, "run a built-in workload"},
    {"heap", lab_heap, "say what a heap snapshot holds, or compare two"},
    {NULL, NULL, NULL},
};

static void complain_and_exit(int status, const char *format, va_list arguments)
{
  fflush(stdout);
  fputs("dusk-lab: ", stderr);
  vfprintf(stderr, format, arguments);
  fputc('\n', stderr);
  exit(status);
}

void lab_refuse(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  complain_and_exit(LAB_USAGE, format, arguments);
  abort(); /* not reached */
}

void lab_fail(const char *format, ...)
{
  va_list arguments;
  va_start(arguments, format);
  complain_and_exit(EXIT_FAILURE, format, arguments);
  abort(); /* not reached */
}

static int help(void)
{
  printf("usage: dusk-lab COMMAND [OPTION]...\n\n");
  for (size_t i = 0; commands[i].name; i++)
    printf("  %-8s %s\n", commands[i].name, commands[i].about);
  printf("\n`dusk-lab COMMAND --help` has the options; `man dusk-lab` the "
         "rest.\n");
  return EXIT_SUCCESS;
}

/* What was printed has reached its file, or the exit status says that it has
 * not. */
static int finish(int status)
{
  errno = 0;
  bool failed = fflush(stdout) != 0 || ferror(stdout);
  if (failed)
    lab_fail("cannot write the output: %s",
             errno ? strerror(errno) : "part of it is lost");
  return status;
}

int main(int argc, char **argv)
{
  const char *name = argc > 1 ? argv[1] : "--help";
  if (!strcmp(name, "--help") || !strcmp(name, "-h") || !strcmp(name, "help"))
    return finish(help());
  if (!strcmp(name, "--version")) {
    printf("dusk-lab %d.%d.%d\n", DUSK_VERSION_MAJOR, DUSK_VERSION_MINOR,
           DUSK_VERSION_PATCH);
    return finish(EXIT_SUCCESS);
  }
  for (size_t i = 0; commands[i].name; i++)
    if (!strcmp(name, commands[i].name))
      return finish(commands[i].run(argc - 1, argv + 1));
  lab_refuse("there is no command '%s'; `dusk-lab --help` lists them", name);
}
