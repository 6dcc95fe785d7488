/* SPDX-License-Identifier: MIT */
/* option.c -- command lines; see option.h */
#include "option.h"

#include "lab.h"

#include <stdio.h>

static const char *option_name(const struct option *known, int value)
{
  while (known->name && known->val != value)
    known++;
  return known->name;
}

void option_refuse(const char *command, const struct option *known, int key,
                   char **argv)
{
  const char *name = optopt > 255 ? option_name(known, optopt) : 0;
  if (name && key == ':')
    lab_refuse("%s: --%s needs a value", command, name);
  if (name)
    lab_refuse("%s: --%s takes no value", command, name);
  if (optopt > 0 && optopt < 256)
    lab_refuse("%s: there is no option '-%c'; `dusk-lab %s --help` lists them",
               command, optopt, command);
  lab_refuse("%s: there is no option '%s', or several begin so; `dusk-lab %s "
             "--help` lists them",
             command, argv[optind - 1], command);
}

void option_join(int argc, char **argv, char *text, size_t size)
{
  size_t used = (size_t)snprintf(text, size, "dusk-lab");
  for (int i = 0; i < argc && used < size; i++)
    used += (size_t)snprintf(text + used, size - used, " %s", argv[i]);
}
