/* SPDX-License-Identifier: MIT */
/* push.c -- messages pushed into a full window
 *
 * Each message is allocated, filled, stored over the oldest of the window, and
 * that one dies: a queue, a cache, a log buffer.  Every push is timed, from the
 * end of the one before.  Figures: pushes per second, their times, peak. */
#include "option.h"
#include "peer.h"

#include <stdlib.h>
#include <string.h>

struct window {
  struct peer peer;
  unsigned char **slots;
  uint64_t messages;
  size_t bytes;
};

static void window_push(struct window *window, uint64_t index)
{
  unsigned char **slot = &window->slots[index % window->messages];
  unsigned char *message = peer_new_leaf(window->peer, window->bytes);
  memset(message, (unsigned char)index, window->bytes);
  unsigned char *old = peer_load(slot);
  peer_store(window->peer, slot, message);
  peer_free(window->peer, old);
}

/* Fills the window, untimed, and pushes on from there. */
static struct measure_stretch push_all(struct window *window, uint64_t count,
                                       struct measure_histogram *histogram)
{
  uint64_t filled = window->messages;
  for (uint64_t i = 0; i < filled; i++)
    window_push(window, i);
  struct measure_stretch stretch = measure_begin();
  uint64_t last = measure_wall_ns();
  for (uint64_t i = filled; i < filled + count; i++) {
    window_push(window, i);
    uint64_t now = measure_wall_ns();
    measure_histogram_add(histogram, now - last);
    last = now;
  }
  return measure_end(stretch);
}

static void window_check(const struct window *window, uint64_t pushed)
{
  for (uint64_t i = pushed - window->messages; i < pushed; i++) {
    const unsigned char *message =
        peer_load(&window->slots[i % window->messages]);
    if (message[0] != (unsigned char)i ||
        message[window->bytes - 1] != (unsigned char)i)
      measure_fail("a message was overwritten");
  }
}

int main(int argc, char **argv)
{
  enum { COUNT, WINDOW, BYTES, OPTIONS };
  struct option_row options[OPTIONS + 1] = {
      [COUNT] = {"count", "Messages to push", 10000000, 500000, NULL},
      [WINDOW] = {"window", "Messages that live", 200000, 20000, NULL},
      [BYTES] = {"bytes", "Size of a message", 1024, 1024, NULL}};
  static const struct option_program program = {
      "push", PEER_NAME, "Pushes messages into a window, timing each"};
  option_parse(&program, options, argc, argv);
  uint64_t count = options[COUNT].value;
  struct window window = {.messages = options[WINDOW].value,
                          .bytes = options[BYTES].value};
  if (!count || !window.messages || !window.bytes)
    measure_fail("count, window and bytes are at least 1");

  window.peer = peer_open();
  struct peer_kind kind = peer_kind_define(window.peer, "window", 0, 1);
  window.slots = peer_new_array(window.peer, kind, window.messages);
  struct measure_histogram *histogram = measure_histogram_create();
  struct measure_stretch stretch = push_all(&window, count, histogram);
  window_check(&window, window.messages + count);
  measure_figure("ops", (double)count * 1e9 / (double)stretch.wall_ns, "ops/s");
  measure_figure_latency(histogram);
  measure_figure_peak();
  measure_histogram_destroy(histogram);
  peer_close(window.peer);
  return EXIT_SUCCESS;
}
