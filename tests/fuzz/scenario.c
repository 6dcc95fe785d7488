/* SPDX-License-Identifier: MIT */
/* scenario.c -- text as a scenario file, which is run if it is one
 *
 * No number that comes out is one that the world calls impossible. */
#include "fuzz.h"

#include "lab/sim/scenario.h"

#include <ctype.h>
#include <string.h>
#include <unistd.h>

const char *const fuzz_name = "scenario";
const unsigned fuzz_runs = 3000;

enum { CYCLES = 4, BYTES_MAX = 4096 };

static char folder[] = "/tmp/dusk-fuzz.XXXXXX";
static char path[64];

static void remove_file(void)
{
  unlink(path);
  rmdir(folder);
}

static void make_folder(void)
{
  if (path[0])
    return;
  FUZZ_EXPECT(mkdtemp(folder));
  snprintf(path, sizeof path, "%s/a.sim", folder);
  atexit(remove_file);
}

static void write_file(const uint8_t *data, size_t size)
{
  FILE *stream = fopen(path, "wb");
  FUZZ_EXPECT(stream);
  FUZZ_EXPECT(fwrite(data, 1, size, stream) == size);
  FUZZ_EXPECT(fclose(stream) == 0);
}

static void expect_line(const char *text)
{
  FUZZ_EXPECT(*text);
  for (; *text; text++)
    FUZZ_EXPECT(!iscntrl((unsigned char)*text));
}

static void run(struct sim_program *program)
{
  struct sim_row rows[CYCLES];
  struct sim_message message;
  if (program->cycles > CYCLES)
    program->cycles = CYCLES;
  if (sim_program_run(program, rows, &message))
    return;
  expect_line(message.text);
  FUZZ_EXPECT(!strstr(message.text, sim_error_text(SIM_IMPOSSIBLE)));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
  struct sim_program program;
  struct sim_message message;
  if (size > BYTES_MAX || memchr(data, '/', size))
    return 0;
  make_folder();
  write_file(data, size);
  sim_program_init(&program);
  if (scenario_read(&program, path, &message))
    run(&program);
  else
    expect_line(message.text);
  sim_program_clear(&program);
  return 0;
}
