/* SPDX-License-Identifier: MIT */
/* pauses.c -- dusk-lab pauses: what delays the threads of one program
 *
 *   pauses.c          the command line, the runs, and the tables
 *   pauses_measure.c  from traces to figures     mmu.c  utilisation
 *   pauses_page.c     the page
 *
 * Tested by tests/lab/run.sh. */
#include "pauses.h"

#include "lab/lab.h"
#include "lab/option.h"
#include "lab/show/page.h"
#include "progress.h"
#include "lab/show/value.h"
#include "workload.h"

#include <errno.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { REPEATS_MAX = 100, SIGNAL_STATUS = 128 };

enum {
  KEY_REPEATS = 256,
  KEY_OUT,
  KEY_FROM,
  KEY_QUICK,
  KEY_QUIET,
  KEY_LIST,
  KEY_HELP
};

static const struct option known[] = {
    {"repeats", required_argument, NULL, KEY_REPEATS},
    {"out", required_argument, NULL, KEY_OUT},
    {"from", required_argument, NULL, KEY_FROM},
    {"quick", no_argument, NULL, KEY_QUICK},
    {"quiet", no_argument, NULL, KEY_QUIET},
    {"list", no_argument, NULL, KEY_LIST},
    {"help", no_argument, NULL, KEY_HELP},
    {NULL, 0, NULL, 0}};

static const char help_text[] =
    "usage: dusk-lab pauses [OPTION]... WORKLOAD\n"
    "       dusk-lab pauses [OPTION]... -- COMMAND [ARGUMENT]...\n"
    "       dusk-lab pauses [OPTION]... --from TRACE\n"
    "\n"
    "Runs one program and shows what delayed its threads: steps for the\n"
    "collector, assists, waits; the worst of them, and minimum mutator\n"
    "utilisation.  Settings are those of the environment, such as\n"
    "DUSK_GCPERCENT.\n"
    "\n"
    "  --repeats N   run it N times, and take all together (1)\n"
    "  --out FILE    where the page goes (dusk-pauses.html)\n"
    "  --from TRACE  run nothing: read what DUSK_TRACE=TRACE has left\n"
    "  --quick       small sizes, to try it\n"
    "  --quiet       no progress\n"
    "  --list        list the workloads\n";

struct request {
  struct workload workload;
  const char *out;
  const char *from; /* or NULL */
  uint64_t repeats;
  bool quick;
  bool quiet;
};

static void take_option(struct request *request, int key)
{
  switch (key) {
  case KEY_REPEATS:
    if (!value_read_number(optarg, 1, REPEATS_MAX, &request->repeats))
      lab_refuse("pauses: --repeats: '%s' is not a number from 1 to %d", optarg,
                 REPEATS_MAX);
    break;
  case KEY_OUT:
    request->out = optarg;
    break;
  case KEY_FROM:
    request->from = optarg;
    break;
  case KEY_QUICK:
    request->quick = true;
    break;
  case KEY_QUIET:
    request->quiet = true;
    break;
  case KEY_LIST:
    workload_list(stdout);
    exit(EXIT_SUCCESS);
  case KEY_HELP:
    fputs(help_text, stdout);
    exit(EXIT_SUCCESS);
  default:
    break;
  }
}

static void read_program(struct request *request, int count, char **names,
                         char **command)
{
  char message[512];
  int programs = count + (command != NULL) + (request->from != NULL);
  if (programs != 1)
    lab_refuse("pauses: %s; `dusk-lab pauses --help` says more",
               programs ? "one program at a time" : "which program?");
  if (command && !*command)
    lab_refuse("pauses: there is no command after '--'");
  if (command)
    workload_command(&request->workload, command);
  else if (count && !workload_find(&request->workload, names[0], request->quick,
                                   message, sizeof message))
    lab_refuse("pauses: %s", message);
}

static void read_request(struct request *request, int argc, char **argv)
{
  char **command = NULL;
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--")) {
      command = &argv[i + 1];
      argc = i;
      argv[i] = NULL;
    }
  }
  *request = (struct request){.out = "dusk-pauses.html", .repeats = 1};
  opterr = 0;
  int key;
  while ((key = getopt_long(argc, argv, ":", known, NULL)) != -1) {
    if (key < 256)
      option_refuse("pauses", known, key, argv);
    take_option(request, key);
  }
  read_program(request, argc - optind, argv + optind, command);
}

/* ---- the runs ---- */

static void run_read(struct pauses *pauses, const char *path)
{
  char message[512];
  struct samples *samples = &pauses->runs[pauses->run_count];
  if (!samples_read(path, samples, message, sizeof message))
    lab_fail("pauses: %s", message);
  if (!samples->heap_count)
    lab_fail("pauses: %s has no heap in it", path);
  pauses->run_count++;
}

/* One run; its trace and output are removed again. */
static void run_once(struct pauses *pauses, const struct request *request,
                     const char *trace, struct progress *progress)
{
  char variable[4096];
  char said[4096];
  char *variables[] = {variable, NULL};
  snprintf(variable, sizeof variable, "DUSK_TRACE=%s", trace);
  snprintf(said, sizeof said, "%s.err", trace);
  struct child child = {request->workload.argv, variables, "/dev/null", said};
  struct child_end end;
  child_run(&child, progress_tick, progress, &end);
  progress_clear(progress);
  if (!child_interrupted() && !child_is_good(&end)) {
    char why[512];
    child_explain(&child, &end, why, sizeof why);
    unlink(said);
    unlink(trace);
    lab_fail("pauses: %s: %s", request->workload.name, why);
  }
  unlink(said);
  if (child_interrupted()) {
    unlink(trace);
    return;
  }
  if (access(trace, F_OK))
    lab_fail("pauses: %s: it opened no heap that writes a trace",
             request->workload.name);
  run_read(pauses, trace);
  unlink(trace);
}

static void runs_do(struct pauses *pauses, const struct request *request)
{
  char *trace;
  const char *base = getenv("TMPDIR");
  struct progress progress;
  if (asprintf(&trace, "%s/dusk-lab.%ld.trace", base && *base ? base : "/tmp",
               (long)getpid()) < 0)
    lab_fail("pauses: no memory for a name");
  progress_begin(&progress, (unsigned)request->repeats, request->quiet);
  child_signals_hold();
  for (uint64_t i = 0; i < request->repeats && !child_interrupted(); i++) {
    progress_start(&progress, request->workload.name, -1);
    run_once(pauses, request, trace, &progress);
    progress.done++;
  }
  child_signals_release();
  free(trace);
}

/* ---- tables ---- */

static void print_kinds(const struct pauses *pauses)
{
  printf("  %-8s %9s %9s %9s %9s %9s %9s\n", "", "count", "total", "p50", "p99",
         "p99.9", "longest");
  for (unsigned kind = 0; kind < SAMPLES_KINDS; kind++) {
    static const double parts[] = {0.5, 0.99, 0.999};
    const struct measure_histogram *times = pauses->waits->times[kind];
    char text[32];
    if (!times->count)
      continue;
    waits_print_ns(text, sizeof text, (double)pauses->waits->total_ns[kind]);
    printf("  %-8s %9llu", samples_kind_names[kind],
           (unsigned long long)times->count);
    waits_print_padded(stdout, text, 10);
    for (unsigned i = 0; i < 3; i++) {
      double left = (1 - parts[i]) * (double)times->count;
      waits_print_ns(
          text, sizeof text,
          left < 1 ? NAN
                   : (double)measure_histogram_percentile(times, parts[i]));
      waits_print_padded(stdout, text, 10);
    }
    waits_print_ns(text, sizeof text, (double)times->worst);
    waits_print_padded(stdout, text, 10);
    putchar('\n');
  }
}

static void print_worst(const struct pauses *pauses)
{
  printf("\nThe longest delays\n");
  for (size_t i = 0; i < pauses->worst_count; i++) {
    const struct pauses_worst *worst = &pauses->worst[i];
    char text[32];
    waits_print_ns(text, sizeof text, (double)worst->delay->duration_ns);
    waits_print_padded(stdout, text, 11);
    printf("  %-8s thread %llu of heap %s, at %.4f s",
           samples_kind_names[worst->delay->kind],
           (unsigned long long)worst->delay->thread, worst->heap->id,
           ((double)worst->delay->start_ns - (double)worst->heap->opened_ns) /
               1e9);
    uint64_t cycle = pauses_cycle_at(worst->heap, worst->delay->start_ns);
    if (cycle)
      printf(", in cycle %llu", (unsigned long long)cycle);
    putchar('\n');
  }
}

static void print_share(double share)
{
  if (isnan(share))
    printf(" %10s", "-");
  else
    printf(" %8.2f %%", 100 * share);
}

static void print_mmu(const struct pauses *pauses)
{
  printf("\nMinimum mutator utilisation\n  %8s %10s %10s\n", "window",
         "one thread", "all");
  for (unsigned i = 0; i < PAUSES_WINDOWS; i++) {
    uint64_t window = pauses_windows_ms[i] * UINT64_C(1000000);
    printf("  %5u ms", pauses_windows_ms[i]);
    print_share(pauses_mmu_worst(pauses, window));
    print_share(pauses_mmu_all(pauses, window));
    putchar('\n');
  }
}

static void print_all(const struct pauses *pauses, const char *program)
{
  printf("%s: %zu threads in %u run%s\n\n", program, pauses->threads,
         pauses->run_count, pauses->run_count == 1 ? "" : "s");
  print_kinds(pauses);
  if (pauses->waits->lost)
    printf("  %llu delays are missing: the threads' rings were full\n",
           (unsigned long long)pauses->waits->lost);
  if (pauses->worst_count)
    print_worst(pauses);
  print_mmu(pauses);
}

int lab_pauses(int argc, char **argv)
{
  static struct request request;
  static struct host host;
  char command[1024];
  char program[512];
  struct pauses pauses = {0};
  option_join(argc, argv, command, sizeof command);
  read_request(&request, argc, argv);
  FILE *page = page_open(request.out);
  if (!page)
    lab_fail("pauses: --out %s: %s", request.out, strerror(errno));
  pauses.runs = calloc(request.repeats, sizeof *pauses.runs);
  if (!pauses.runs)
    lab_fail("pauses: no memory for %llu runs",
             (unsigned long long)request.repeats);
  host_read(&host);
  if (request.from) {
    run_read(&pauses, request.from);
    snprintf(program, sizeof program, "%s", request.from);
  } else {
    runs_do(&pauses, &request);
    workload_print(&request.workload, program, sizeof program);
  }
  pauses_measure(&pauses);
  print_all(&pauses, program);
  pauses_page_write(&pauses, &host, program, command, page);
  int error = page_close(page);
  if (error)
    lab_fail("pauses: --out %s: %s", request.out, strerror(error));
  fprintf(stderr, "dusk-lab: %s has the plots\n", request.out);
  return child_interrupted() ? SIGNAL_STATUS + child_interrupted()
                             : EXIT_SUCCESS;
}
