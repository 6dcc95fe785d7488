/* SPDX-License-Identifier: MIT */
/* stale_buffer.c -- a buffer that keeps alive what was in it once
 *
 * serve() collects the lines of an answer in an array on its stack, prints the
 * last, and waits for the next question with the array as it is.  A megabyte of
 * lines stays alive for as long as it waits.
 *
 *   ./stale_buffer     asks for the report itself: dusk_retention_report(3)
 */
#include <dusk.h>
#include <stdio.h>

enum { LINES = 4, LINE_BYTES = 256 << 10 };

static __attribute__((noinline)) void find_lines(dusk_thread *thread,
                                                 const char **lines)
{
  for (int i = 0; i < LINES; i++) {
    char *line = dusk_alloc(thread, DUSK_LEAF, LINE_BYTES);
    if (line)
      snprintf(line, LINE_BYTES, "line %d", i);
    lines[i] = line;
  }
}

/* Here a server would wait; this program looks at its heap. */
static __attribute__((noinline)) int wait_for_question(dusk_thread *thread)
{
  int error = dusk_retention_report(thread, 1);
  return error ? -1 : 0;
}

static __attribute__((noinline)) int serve(dusk_thread *thread)
{
  const char *lines[LINES];
  find_lines(thread, lines);
  puts(lines[LINES - 1]);
  fflush(stdout);
  int next = wait_for_question(thread); /* MISTAKE: `lines` is as it was */
  return next + (lines[0] == NULL);
}
/* The fix, before the wait: memset(lines, 0, sizeof lines); */

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  if (dusk_heap_open(NULL, &heap) || dusk_attach(heap, &thread))
    return 1;
  int error = serve(thread);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return error != 0;
}
