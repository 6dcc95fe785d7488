#define _POSIX_C_SOURCE 200809L
#include <dusk.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

struct line {
  struct line *next;
  char *text;
};

static int pipe_ends[2];

/* Reads into memory of C, outside the heap; copies inside it. */
static struct line *read_line(dusk_thread *thread, FILE *file)
{
  char buffer[256];
  dusk_blocking_begin(thread);
  char *got = fgets(buffer, sizeof buffer, file);
  dusk_blocking_end(thread);
  if (!got)
    return NULL;

  size_t bytes = strlen(buffer) + 1;
  char *text = dusk_alloc(thread, DUSK_LEAF, bytes);
  struct line *line = dusk_alloc(thread, DUSK_CONSERVATIVE, sizeof *line);
  if (!text || !line)
    return NULL;
  memcpy(text, buffer, bytes);
  dusk_init(thread, &line->text, text);
  return line;
}

static void *write_lines(void *unused)
{
  FILE *file = fdopen(pipe_ends[1], "w");
  for (int i = 1; file && i <= 100; i++)
    fprintf(file, "line %d\n", i);
  if (file)
    fclose(file);
  return unused;
}

int main(void)
{
  dusk_heap *heap;
  dusk_thread *thread;
  pthread_t writer; /* never attached: it touches no heap */
  if (pipe(pipe_ends) || dusk_heap_open(NULL, &heap) ||
      dusk_attach(heap, &thread) ||
      pthread_create(&writer, NULL, write_lines, NULL))
    return 1;

  FILE *file = fdopen(pipe_ends[0], "r");
  struct line *all = NULL, *line;
  while (file && (line = read_line(thread, file))) {
    dusk_store(thread, &line->next, all); /* right everywhere */
    all = line;
  }

  int lines = 0;
  for (line = all; line; line = dusk_load(&line->next))
    lines++;
  printf("%d lines, the last is %s", lines, (char *)dusk_load(&all->text));

  dusk_blocking_begin(thread);
  pthread_join(writer, NULL);
  dusk_blocking_end(thread);
  if (file)
    fclose(file);
  dusk_detach(thread);
  dusk_heap_close(heap);
  return lines != 100;
}
