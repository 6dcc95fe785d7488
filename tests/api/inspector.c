/* SPDX-License-Identifier: MIT */
/* inspector.c -- <dusk/inspector.h>: its errors, forks, crowds, and want of what
 * the system has.  What it serves is read by tests/inspector.sh. */
#include "api.h"

#include "dusk/inspector.h"

#include <arpa/inet.h>
#include <dirent.h>
#include <netinet/in.h>
#include <sys/resource.h>
#include <sys/socket.h>

enum { CROWD = 100 };

static dusk_inspector *start_with(dusk_heap *heap,
                                  const dusk_inspector_options *options)
{
  dusk_inspector *inspector = NULL;
  ck_assert_int_eq(dusk_inspector_start(heap, options, &inspector), 0);
  ck_assert_ptr_nonnull(inspector);
  ck_assert_uint_ne(dusk_inspector_port(inspector), 0);
  return inspector;
}

static dusk_inspector *start(dusk_heap *heap)
{
  return start_with(heap, NULL);
}

/* ---- a client ---- */

/* -1: nobody is there. */
static int connect_to(unsigned port)
{
  struct sockaddr_in address = {.sin_family = AF_INET,
                                .sin_port = htons((uint16_t)port),
                                .sin_addr = {htonl(INADDR_LOOPBACK)}};
  int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
  if (fd >= 0 &&
      connect(fd, (const struct sockaddr *)&address, sizeof address)) {
    close(fd);
    fd = -1;
  }
  return fd;
}

static bool ask(int fd, unsigned port, const char *path)
{
  char request[256];
  int length = snprintf(request, sizeof request,
                        "GET %s HTTP/1.1\r\nHost: 127.0.0.1:%u\r\n"
                        "Connection: close\r\n\r\n",
                        path, port);
  return send(fd, request, (size_t)length, MSG_NOSIGNAL) == length;
}

/* Reads to the end; the caller frees it.  "": there was no answer. */
static char *hear(int fd)
{
  size_t length = 0, room = 4096;
  char *text = malloc(room);
  ssize_t got;
  while ((got = recv(fd, text + length, room - length - 1, 0)) > 0) {
    length += (size_t)got;
    if (room - length < 2)
      text = realloc(text, room *= 2);
  }
  text[length] = '\0';
  close(fd);
  return text;
}

static char *fetch(unsigned port, const char *path)
{
  int fd = connect_to(port);
  if (fd < 0 || !ask(fd, port, path)) {
    if (fd >= 0)
      close(fd);
    return calloc(1, 1);
  }
  return hear(fd);
}

static unsigned status_of(const char *answer)
{
  unsigned status = 0;
  return sscanf(answer, "HTTP/1.1 %u", &status) == 1 ? status : 0;
}

/* 0: there was no answer. */
static unsigned fetch_status(unsigned port, const char *path)
{
  char *answer = fetch(port, path);
  unsigned status = status_of(answer);
  free(answer);
  return status;
}

static bool serves(const dusk_inspector *inspector)
{
  return fetch_status(dusk_inspector_port(inspector), "/debug/state.json") ==
         200;
}

/* ---- what it is told ---- */

START_TEST(what_is_wrong_is_refused)
{
  dusk_heap *heap = api_open();
  dusk_inspector *inspector = NULL;
  dusk_inspector_options options = DUSK_INSPECTOR_OPTIONS_INIT;
  ck_assert_int_eq(dusk_inspector_start(NULL, &options, &inspector), EINVAL);
  ck_assert_int_eq(dusk_inspector_start(heap, &options, NULL), EINVAL);
  options.port = 65536;
  ck_assert_int_eq(dusk_inspector_start(heap, &options, &inspector), EINVAL);
  options.port = 0;
  options.struct_size--;
  ck_assert_int_eq(dusk_inspector_start(heap, &options, &inspector), EINVAL);
  ck_assert_ptr_null(inspector);
  ck_assert_uint_eq(dusk_inspector_port(NULL), 0);
  dusk_inspector_stop(NULL);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(each_heap_has_its_own)
{
  static const char *const names[] = {"one", "other"};
  dusk_heap *heaps[2];
  dusk_inspector *inspectors[2];
  for (int i = 0; i < 2; i++) {
    dusk_inspector_options options = DUSK_INSPECTOR_OPTIONS_INIT;
    options.name = names[i];
    heaps[i] = api_open();
    inspectors[i] = start_with(heaps[i], &options);
  }
  for (int i = 0; i < 2; i++) {
    char member[32];
    char *answer =
        fetch(dusk_inspector_port(inspectors[i]), "/debug/state.json");
    snprintf(member, sizeof member, "\"name\":\"%s\"", names[i]);
    ck_assert_ptr_nonnull(strstr(answer, member));
    free(answer);
  }
  unsigned port = dusk_inspector_port(inspectors[0]);
  dusk_inspector_stop(inspectors[0]);
  ck_assert_int_lt(connect_to(port), 0);
  ck_assert(serves(inspectors[1]));
  dusk_inspector_stop(inspectors[1]);
  for (int i = 0; i < 2; i++)
    dusk_heap_close(heaps[i]);
}
END_TEST

/* A name is bytes, and the answer is JSON for all that. */
START_TEST(a_name_may_have_any_bytes)
{
  dusk_heap *heap = api_open();
  dusk_inspector_options options = DUSK_INSPECTOR_OPTIONS_INIT;
  options.name = "\"\\\n \xc3\xa9 \xe2\x82\xac \xf0\x9f\x8c\x92 \xff \xc3( "
                 "\xe2\x82";
  dusk_inspector *inspector = start_with(heap, &options);
  char *answer = fetch(dusk_inspector_port(inspector), "/debug/state.json");
  ck_assert_ptr_nonnull(
      strstr(answer, "\"name\":\"\\u0022\\u005c\\u000a \xc3\xa9 \xe2\x82\xac "
                     "\xf0\x9f\x8c\x92 \\ufffd \\ufffd( \\ufffd\\ufffd\","));
  free(answer);
  dusk_inspector_stop(inspector);
  dusk_heap_close(heap);
}
END_TEST

START_TEST(it_samples_while_it_serves)
{
  dusk_heap *heap = api_open();
  dusk_inspector_options only_looks = DUSK_INSPECTOR_OPTIONS_INIT;
  only_looks.only_looks = true;
  dusk_inspector *inspector = start_with(heap, &only_looks);
  ck_assert_int_eq(dusk_set_profile_rate(heap, -1), 0);
  dusk_inspector_stop(inspector);
  inspector = start(heap);
  ck_assert_int_eq(dusk_set_profile_rate(heap, -1), DUSK_PROFILE_RATE);
  dusk_inspector_stop(inspector);
  ck_assert_int_eq(dusk_set_profile_rate(heap, 100), 0);
  inspector = start(heap); /* and a rate of the program's own stays */
  ck_assert_int_eq(dusk_set_profile_rate(heap, -1), 100);
  dusk_inspector_stop(inspector);
  ck_assert_int_eq(dusk_set_profile_rate(heap, -1), 100);
  dusk_heap_close(heap);
}
END_TEST

/* ---- who comes ---- */

/* More than it serves at a time: they are served one after the other. */
START_TEST(a_crowd_is_served)
{
  static int clients[CROWD];
  dusk_heap *heap = api_open();
  dusk_inspector *inspector = start(heap);
  unsigned port = dusk_inspector_port(inspector);
  for (int i = 0; i < CROWD; i++) {
    clients[i] = connect_to(port);
    ck_assert_int_ge(clients[i], 0);
    ck_assert(ask(clients[i], port, "/debug/state.json"));
  }
  for (int i = 0; i < CROWD; i++) {
    char *answer = hear(clients[i]);
    ck_assert_uint_eq(status_of(answer), 200);
    free(answer);
  }
  dusk_inspector_stop(inspector);
  dusk_heap_close(heap);
}
END_TEST

/* Those that ask for nothing do not hold up its end. */
START_TEST(it_stops_under_a_crowd)
{
  static int clients[CROWD];
  dusk_heap *heap = api_open();
  dusk_inspector *inspector = start(heap);
  unsigned port = dusk_inspector_port(inspector);
  for (int i = 0; i < CROWD; i++) {
    clients[i] = connect_to(port);
    ck_assert_int_ge(clients[i], 0);
  }
  dusk_inspector_stop(inspector);
  ck_assert_int_lt(connect_to(port), 0);
  for (int i = 0; i < CROWD; i++)
    close(clients[i]);
  dusk_heap_close(heap);
}
END_TEST

/* It goes away in the middle of an answer that is larger than what the system
 * keeps for it: no SIGPIPE, and the next is served. */
START_TEST(a_client_may_go_away)
{
  dusk_heap *heap = api_open();
  dusk_inspector *inspector = start(heap);
  dusk_thread *thread = api_attach(heap);
  void **objects =
      api_alloc(thread, DUSK_CONSERVATIVE, 200000 * sizeof *objects);
  for (size_t i = 0; i < 200000; i++)
    dusk_store(thread, &objects[i], api_alloc(thread, DUSK_LEAF, 16));
  unsigned port = dusk_inspector_port(inspector);
  dusk_blocking_begin(thread);
  for (int i = 0; i < 3; i++) {
    char some[64];
    int fd = connect_to(port);
    ck_assert(ask(fd, port, "/debug/snapshot"));
    ck_assert_int_gt(recv(fd, some, sizeof some, 0), 0);
    close(fd);
  }
  ck_assert(serves(inspector));
  dusk_blocking_end(thread);
  api_keep(objects);
  dusk_inspector_stop(inspector);
  api_close(heap, thread);
}
END_TEST

/* ---- what the system has not ---- */

static int start_on_a_port_in_use(const void *argument)
{
  (void)argument;
  dusk_heap *heap = api_open();
  dusk_inspector *first = start(heap), *second = NULL;
  dusk_inspector_options options = DUSK_INSPECTOR_OPTIONS_INIT;
  options.port = dusk_inspector_port(first);
  api_require(dusk_inspector_start(heap, &options, &second) == EADDRINUSE);
  api_require(!second && serves(first));
  dusk_inspector_stop(first);
  second = start_with(heap, &options);
  api_require(serves(second));
  dusk_inspector_stop(second);
  dusk_heap_close(heap);
  return 0;
}

START_TEST(a_port_in_use_is_named)
{
  struct api_child child;
  api_fork(&child, start_on_a_port_in_use, NULL);
  api_assert_one_line(&child, "is in use; end who has it");
}
END_TEST

static rlim_t limit(int resource, rlim_t value)
{
  struct rlimit now;
  getrlimit(resource, &now);
  rlim_t before = now.rlim_cur;
  now.rlim_cur = value;
  setrlimit(resource, &now);
  return before;
}

static rlim_t descriptors(void)
{
  int next = dup(STDERR_FILENO);
  close(next);
  return (rlim_t)next;
}

/* With the n-th descriptor refused, n = 0, 1, ... until it starts. */
static int start_without_descriptors(const void *argument)
{
  (void)argument;
  dusk_heap *heap = api_open();
  dusk_inspector_options options = DUSK_INSPECTOR_OPTIONS_INIT;
  options.only_looks = true;
  rlim_t first = descriptors();
  int error = 1;
  for (rlim_t more = 0; error; more++) {
    dusk_inspector *inspector = NULL;
    rlim_t before = limit(RLIMIT_NOFILE, first + more);
    error = dusk_inspector_start(heap, &options, &inspector);
    api_require(!error || (!inspector && (error == EMFILE || error == EAGAIN)));
    limit(RLIMIT_NOFILE, before);
    if (error)
      api_require(descriptors() == first); /* it keeps none */
    else
      api_require(more > 0 && serves(inspector));
    dusk_inspector_stop(inspector);
  }
  dusk_heap_close(heap);
  return 0;
}

START_TEST(without_descriptors_it_does_not_start)
{
  struct api_child child;
  api_fork(&child, start_without_descriptors, NULL);
  ck_assert_msg(child.exit_code == 0, "exit %d: %s", child.exit_code,
                child.text);
  ck_assert_uint_ge(api_lines_with(child.text, "dusk_inspector_start: "), 1);
}
END_TEST

static rlim_t address_space(void)
{
  unsigned long pages = 0;
  FILE *file = fopen("/proc/self/statm", "r");
  api_require(file && fscanf(file, "%lu", &pages) == 1);
  fclose(file);
  return (rlim_t)pages * (rlim_t)sysconf(_SC_PAGESIZE);
}

/* No thread for a connection, no memory for an answer: the client may get
 * nothing or be told so, and later it is served again. */
static int serve_without_memory(const void *argument)
{
  static const char *const paths[] = {"/", "/debug/state.json", "/metrics",
                                      "/debug/pprof/heap", "/debug/timeline",
                                      "/debug/snapshot"};
  (void)argument;
  dusk_heap *heap = api_open();
  dusk_inspector *inspector = start(heap);
  unsigned port = dusk_inspector_port(inspector);
  for (size_t room = 0; room <= MIB(16); room += MIB(1)) {
    rlim_t before = limit(RLIMIT_AS, address_space() + room);
    unsigned got[sizeof paths / sizeof *paths];
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
      got[i] = fetch_status(port, paths[i]);
    limit(RLIMIT_AS, before);
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
      api_require(got[i] == 0 || got[i] == 200 || got[i] == 500 ||
                  got[i] == 503);
    api_require(serves(inspector));
  }
  dusk_inspector_stop(inspector);
  dusk_heap_close(heap);
  return 0;
}

START_TEST(without_memory_it_goes_on)
{
  struct api_child child;
  if (SANITIZED)
    return;
  api_fork(&child, serve_without_memory, NULL);
  ck_assert_msg(child.exit_code == 0, "exit %d: %s", child.exit_code,
                child.text);
}
END_TEST

/* ---- forks ---- */

struct family {
  dusk_heap *heap;
  dusk_inspector *inspector;
};

/* The child of a fork, which lets go of what it has inherited, or not. */
static void live(const struct family *family, bool stops)
{
  unsigned port = dusk_inspector_port(family->inspector);
  if (stops)
    dusk_inspector_stop(family->inspector);
  api_require(fetch_status(port, "/debug/state.json") == 200); /* the parent's */
  dusk_inspector *own = NULL;
  if (!THREADS_MAY_NOT_FOLLOW_A_FORK) {
    api_require(dusk_inspector_start(family->heap, NULL, &own) == 0);
    api_require(dusk_inspector_port(own) != port && serves(own));
  }
  dusk_inspector_stop(own);
}

static int fork_some(const void *argument)
{
  (void)argument;
  struct family family = {.heap = api_open()};
  family.inspector = start(family.heap);
  dusk_thread *thread = api_attach(family.heap);
  for (int i = 0; i < 4; i++) {
    pid_t pid = fork();
    api_require(pid >= 0);
    if (pid == 0) {
      live(&family, i % 2 == 1);
      exit(0);
    }
    int status;
    dusk_blocking_begin(thread);
    api_require(waitpid(pid, &status, 0) == pid && status == 0);
    dusk_blocking_end(thread);
  }
  dusk_detach(thread);
  api_require(serves(family.inspector));
  dusk_inspector_stop(family.inspector);
  dusk_heap_close(family.heap);
  return 0;
}

START_TEST(a_child_has_its_own)
{
  struct api_child child;
  api_fork(&child, fork_some, NULL);
  api_assert_silent(&child);
}
END_TEST

/* The child lives on; the port that its parent has left is free. */
static int leave_a_child(const void *argument)
{
  (void)argument;
  int ends[2];
  char byte;
  struct family family = {.heap = api_open()};
  family.inspector = start(family.heap);
  dusk_inspector_options options = DUSK_INSPECTOR_OPTIONS_INIT;
  options.port = dusk_inspector_port(family.inspector);
  api_require(pipe(ends) == 0);
  pid_t pid = fork();
  api_require(pid >= 0);
  if (pid == 0) {
    close(ends[1]);
    _exit(read(ends[0], &byte, 1) == 0 ? 0 : 1);
  }
  close(ends[0]);
  dusk_inspector_stop(family.inspector);
  api_require(connect_to(options.port) < 0);
  family.inspector = start_with(family.heap, &options);
  api_require(serves(family.inspector));
  dusk_inspector_stop(family.inspector);
  close(ends[1]);
  int status;
  api_require(waitpid(pid, &status, 0) == pid && status == 0);
  dusk_heap_close(family.heap);
  return 0;
}

START_TEST(a_child_does_not_hold_the_port)
{
  struct api_child child;
  api_fork(&child, leave_a_child, NULL);
  api_assert_silent(&child);
}
END_TEST

int main(void)
{
  Suite *suite = suite_create("inspector");
  TCase *told = api_case(suite, "told");
  tcase_add_test(told, what_is_wrong_is_refused);
  tcase_add_test(told, each_heap_has_its_own);
  tcase_add_test(told, a_name_may_have_any_bytes);
  tcase_add_test(told, it_samples_while_it_serves);
  TCase *come = api_case(suite, "come");
  tcase_add_test(come, a_crowd_is_served);
  tcase_add_test(come, it_stops_under_a_crowd);
  tcase_add_test(come, a_client_may_go_away);
  TCase *want = api_case(suite, "want");
  tcase_add_test(want, a_port_in_use_is_named);
  tcase_add_test(want, without_descriptors_it_does_not_start);
  tcase_add_test(want, without_memory_it_goes_on);
  TCase *forks = api_case(suite, "forks");
  tcase_add_test(forks, a_child_has_its_own);
  tcase_add_test(forks, a_child_does_not_hold_the_port);
  return api_run(suite);
}
