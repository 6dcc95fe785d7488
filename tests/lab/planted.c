/* SPDX-License-Identifier: MIT */
/* planted.c -- two snapshots of a heap whose objects are known, for heap.sh
 *
 *   planted BEFORE AFTER
 *
 *   root[0] -> list of 1000 "link", 32 bytes
 *   root[1] -> "table" of 64 words -> 20 "payload" of 4096 bytes
 *
 * Between the two, 5 payloads go and 30 "fresh" of 64 bytes come, in a list
 * that hangs from the table. */
#include <dusk.h>

#include <fcntl.h>
#include <pthread.h>
#include <stdio.h>
#include <unistd.h>

enum { LINKS = 1000, PAYLOADS = 20, LET_GO = 5, FRESH = 30 };

static void *root[2];
static dusk_heap *heap;
static dusk_kind link_kind, table_kind, payload_kind, fresh_kind;

static int define(const char *name, size_t size, dusk_scan scan,
                  dusk_kind *kind)
{
  static const uint64_t first = 1;
  dusk_kind_spec spec = {.struct_size = sizeof spec,
                         .name = name,
                         .size = size,
                         .scan = scan,
                         .pointers = scan == DUSK_SCAN_LAYOUT ? &first : NULL};
  return dusk_kind_define(heap, &spec, kind);
}

static void push(dusk_thread *thread, dusk_kind kind, size_t bytes, void **slot)
{
  void **link = dusk_alloc(thread, kind, bytes);
  if (!link)
    return;
  dusk_init(thread, link, *slot);
  dusk_store(thread, slot, link);
}

/* On threads that end: no word of theirs stays on a stack that is read. */
static void *plant(void *argument)
{
  dusk_thread *thread;
  if (dusk_attach(heap, &thread))
    return argument;
  for (int i = 0; i < LINKS; i++)
    push(thread, link_kind, 32, &root[0]);
  void **table = dusk_alloc(thread, table_kind, 64 * sizeof *table);
  dusk_store(thread, &root[1], table);
  for (int i = 0; table && i < PAYLOADS; i++)
    dusk_store(thread, &table[2 * i], dusk_alloc(thread, payload_kind, 4096));
  dusk_detach(thread);
  return NULL;
}

static void *change(void *argument)
{
  dusk_thread *thread;
  if (dusk_attach(heap, &thread))
    return argument;
  void **table = root[1];
  for (int i = 0; i < LET_GO; i++)
    dusk_store(thread, &table[2 * i], NULL);
  for (int i = 0; i < FRESH; i++)
    push(thread, fresh_kind, 64, &table[63]);
  dusk_detach(thread);
  return NULL;
}

static int run(void *(*body)(void *))
{
  pthread_t thread;
  void *failed = NULL;
  if (pthread_create(&thread, NULL, body, root))
    return 1;
  pthread_join(thread, &failed);
  return failed != NULL;
}

static int save(const char *path)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
  int error = fd < 0 ? 1 : dusk_write_snapshot(heap, fd);
  return (fd >= 0 && close(fd)) || error;
}

int main(int argc, char **argv)
{
  dusk_options options = DUSK_OPTIONS_INIT;
  options.gc_percent = -1;
  options.flags = DUSK_NO_ENV;
  if (argc != 3 || dusk_heap_open(&options, &heap) ||
      define("link", 32, DUSK_SCAN_LAYOUT, &link_kind) ||
      define("table", 0, DUSK_SCAN_CONSERVATIVE, &table_kind) ||
      define("payload", 0, DUSK_SCAN_LEAF, &payload_kind) ||
      define("fresh", 64, DUSK_SCAN_LAYOUT, &fresh_kind) ||
      dusk_root_add(heap, root, sizeof root))
    return 1;
  int failed = run(plant) || save(argv[1]) || run(change) || save(argv[2]);
  dusk_root_remove(heap, root);
  dusk_heap_close(heap);
  return failed;
}
