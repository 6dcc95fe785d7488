/* SPDX-License-Identifier: MIT */
/* program.h -- a simulated program as it is written down: settings by name
 *
 *   options, scenario file --> [program] --> rates --> world --> rows
 */
#ifndef DUSK_LAB_SIM_PROGRAM_H
#define DUSK_LAB_SIM_PROGRAM_H

#include "expr.h"
#include "world.h"

enum { SIM_CYCLES_MAX = 1000000 };

enum sim_stream {
  SIM_ALLOC,
  SIM_SCAN,
  SIM_GROWTH,
  SIM_SCANNABLE,
  SIM_STACK,
  SIM_JUMP,
  SIM_IDLE,
  SIM_STREAMS,
};

struct sim_program {
  struct sim_setup setup;
  unsigned cycles; /* 1 to SIM_CYCLES_MAX */
  struct expr *streams[SIM_STREAMS];
  char *where[SIM_STREAMS]; /* they were set, for messages; NULL: by default */
};

/* One line. */
struct sim_message {
  char text[768];
};

/* All settings at their defaults.  The caller clears the program in the end. */
void sim_program_init(struct sim_program *program);
void sim_program_clear(struct sim_program *program);

/* The names of the settings, as options and in scenario files; NULL: no more.
 */
const char *sim_setting_name(unsigned i);

/* Sets one.  `where` it was asked for, such as "--alloc", begins the message.
 * folder: see expr_parse(). */
WARN_UNUSED bool sim_program_set(struct sim_program *program, const char *name,
                                 const char *value, const char *where,
                                 const char *folder,
                                 struct sim_message *message);

/* Runs it once, and fills program->cycles rows; the streams are used up then.
 * false: *message says what went wrong in which cycle. */
WARN_UNUSED bool sim_program_run(struct sim_program *program,
                                 struct sim_row *rows,
                                 struct sim_message *message);

#endif
