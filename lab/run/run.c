/* SPDX-License-Identifier: MIT */
/* run.c -- dusk-lab run: real programs over a grid of settings
 *
 *   run.c        the command line, and the order of things
 *   workload.c   what is run          grid.c      the cells, and running them
 *   child.c      one process          measured.c  the figures of a run
 *   run_table.c  the table            run_page.c  the page
 *
 * Tested by tests/lab/run.sh. */
#include "run.h"

#include "lab/lab.h"
#include "lab/option.h"
#include "lab/show/page.h"
#include "lab/show/value.h"

#include <dirent.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { REPEATS_MAX = 1000, SIGNAL_STATUS = 128 };

enum {
  KEY_GC_PERCENTS = 256,
  KEY_LIMITS,
  KEY_POLICIES,
  KEY_ASSISTS,
  KEY_REPEATS,
  KEY_OUT,
  KEY_KEEP,
  KEY_QUICK,
  KEY_QUIET,
  KEY_LIST,
  KEY_HELP
};

static const struct option known[] = {
    {"gc-percents", required_argument, NULL, KEY_GC_PERCENTS},
    {"limits", required_argument, NULL, KEY_LIMITS},
    {"policies", required_argument, NULL, KEY_POLICIES},
    {"assists", required_argument, NULL, KEY_ASSISTS},
    {"repeats", required_argument, NULL, KEY_REPEATS},
    {"out", required_argument, NULL, KEY_OUT},
    {"keep", required_argument, NULL, KEY_KEEP},
    {"quick", no_argument, NULL, KEY_QUICK},
    {"quiet", no_argument, NULL, KEY_QUIET},
    {"list", no_argument, NULL, KEY_LIST},
    {"help", no_argument, NULL, KEY_HELP},
    {NULL, 0, NULL, 0}};

static const char help_text[] =
    "usage: dusk-lab run [OPTION]... [WORKLOAD]... [-- COMMAND [ARGUMENT]...]\n"
    "\n"
    "Runs programs that use Dusk over a grid of settings, prints a table and\n"
    "draws a page.  Without a workload or a command: all built-in workloads.\n"
    "\n"
    "  --gc-percents LIST  GC percents, or off (50,100,200,400)\n"
    "  --limits LIST       memory limits in bytes, or off (off)\n"
    "  --policies LIST     who decides when to collect: go,dusk,balance (go)\n"
    "  --assists LIST      full,capped:16KiB,capped:100us,exempt (full)\n"
    "  --repeats N         how often each cell is run (3)\n"
    "  --out FILE          where the page goes (dusk-lab.html)\n"
    "  --keep DIR          keep each run's trace and output in DIR\n"
    "  --quick             small sizes and one repeat, to try it\n"
    "  --quiet             no progress\n"
    "  --list              list the workloads\n"
    "\n"
    "A built-in workload takes options: churn:live=128MiB,threads=4.  A LIST "
    "is\n"
    "separated by commas, sizes may end in KiB, MiB or GiB.  Ctrl-C ends the\n"
    "run under way; those before it are shown.\n";

struct request {
  struct grid_axes axes;
  const char *out;
  const char *keep;
  bool quick;
  bool quiet;
};

/* ---- the command line ---- */

/* The items of a list; they live as long as the program. */
static size_t list_read(const char *option, const char *text, char **items)
{
  char *copied = strdup(text);
  size_t count = copied ? value_split(copied, items, GRID_LIST_MAX) : 0;
  if (!count)
    lab_refuse("run: --%s: '%s' is not a list of 1 to %d items with commas "
               "between them",
               option, text, GRID_LIST_MAX);
  return count;
}

static void take_gc_percents(struct grid_axes *axes, const char *text)
{
  char *items[GRID_LIST_MAX];
  axes->gc_percent_count = list_read("gc-percents", text, items);
  for (size_t i = 0; i < axes->gc_percent_count; i++)
    if (!value_read_percent(items[i], &axes->gc_percents[i]))
      lab_refuse("run: --gc-percents: '%s' is neither a number nor 'off'",
                 items[i]);
}

static void take_limits(struct grid_axes *axes, const char *text)
{
  char *items[GRID_LIST_MAX];
  axes->limit_count = list_read("limits", text, items);
  for (size_t i = 0; i < axes->limit_count; i++)
    if (!value_read_limit(items[i], &axes->limits[i]) ||
        (axes->limits[i] > INT64_MAX && axes->limits[i] != UINT64_MAX))
      lab_refuse("run: --limits: '%s' is neither a number of bytes, such as "
                 "256MiB, nor 'off'",
                 items[i]);
}

static void take_policies(struct grid_axes *axes, const char *text)
{
  axes->policy_count = list_read("policies", text, axes->policies);
  for (size_t i = 0; i < axes->policy_count; i++)
    if (strcmp(axes->policies[i], "go") && strcmp(axes->policies[i], "dusk") &&
        strcmp(axes->policies[i], "balance"))
      lab_refuse("run: --policies: '%s' is none of go, dusk and balance",
                 axes->policies[i]);
}

static bool assist_is_valid(const char *text)
{
  uint64_t value;
  char number[32];
  if (!strcmp(text, "full") || !strcmp(text, "exempt"))
    return true;
  if (strncmp(text, "capped:", 7))
    return false;
  text += 7;
  size_t length = strlen(text);
  if (length > 2 && length < sizeof number &&
      !strcmp(text + length - 2, "us")) {
    snprintf(number, sizeof number, "%.*s", (int)length - 2, text);
    return value_read_number(number, 1, UINT32_MAX, &value);
  }
  return value_read_bytes(text, &value) && value;
}

static void take_assists(struct grid_axes *axes, const char *text)
{
  axes->assist_count = list_read("assists", text, axes->assists);
  for (size_t i = 0; i < axes->assist_count; i++)
    if (!assist_is_valid(axes->assists[i]))
      lab_refuse("run: --assists: '%s' is none of full, exempt, capped:BYTES "
                 "and capped:Nus",
                 axes->assists[i]);
}

static void take_option(struct request *request, int key)
{
  uint64_t number;
  switch (key) {
  case KEY_GC_PERCENTS:
    take_gc_percents(&request->axes, optarg);
    break;
  case KEY_LIMITS:
    take_limits(&request->axes, optarg);
    break;
  case KEY_POLICIES:
    take_policies(&request->axes, optarg);
    break;
  case KEY_ASSISTS:
    take_assists(&request->axes, optarg);
    break;
  case KEY_REPEATS:
    if (!value_read_number(optarg, 1, REPEATS_MAX, &number))
      lab_refuse("run: --repeats: '%s' is not a number from 1 to %d", optarg,
                 REPEATS_MAX);
    request->axes.repeats = (unsigned)number;
    break;
  case KEY_OUT:
    request->out = optarg;
    break;
  case KEY_KEEP:
    request->keep = optarg;
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

static void add_workload(struct request *request, const char *name)
{
  struct grid_axes *axes = &request->axes;
  char message[512];
  if (axes->workload_count == GRID_LIST_MAX)
    lab_refuse("run: more than %d workloads", GRID_LIST_MAX);
  if (!workload_find(&axes->workloads[axes->workload_count++], name,
                     request->quick, message, sizeof message))
    lab_refuse("run: %s", message);
}

static void read_workloads(struct request *request, int count, char **names,
                           char **command)
{
  static const char *const all[] = {"churn",      "cache", "map", "pool",
                                    "pool:reuse", "trees", NULL};
  for (int i = 0; i < count; i++)
    add_workload(request, names[i]);
  if (command && *command) {
    struct grid_axes *axes = &request->axes;
    if (axes->workload_count == GRID_LIST_MAX)
      lab_refuse("run: more than %d workloads", GRID_LIST_MAX);
    workload_command(&axes->workloads[axes->workload_count++], command);
  } else if (command) {
    lab_refuse("run: there is no command after '--'");
  }
  for (size_t i = 0; !request->axes.workload_count && all[i]; i++)
    for (; all[i]; i++)
      add_workload(request, all[i]);
}

static void read_request(struct request *request, int argc, char **argv)
{
  char **command = NULL;
  /* getopt_long() would swallow the mark between workloads and a command. */
  for (int i = 1; i < argc; i++) {
    if (!strcmp(argv[i], "--")) {
      command = &argv[i + 1];
      argc = i;
      argv[i] = NULL;
    }
  }
  *request = (struct request){.out = "dusk-lab.html"};
  take_gc_percents(&request->axes, "50,100,200,400");
  take_limits(&request->axes, "off");
  take_policies(&request->axes, "go");
  take_assists(&request->axes, "full");
  opterr = 0;
  int key;
  while ((key = getopt_long(argc, argv, ":", known, NULL)) != -1) {
    if (key < 256)
      option_refuse("run", known, key, argv);
    take_option(request, key);
  }
  if (!request->axes.repeats)
    request->axes.repeats = request->quick ? 1 : 3;
  read_workloads(request, argc - optind, argv + optind, command);
}

/* ---- the order of things ---- */

/* Where runs leave what they have to say: --keep, or one that is removed. */
static char *folder_make(const char *keep)
{
  if (keep) {
    if (mkdir(keep, 0777) && errno != EEXIST)
      lab_fail("run: --keep %s: %s", keep, strerror(errno));
    if (access(keep, W_OK | X_OK))
      lab_fail("run: --keep %s: %s", keep, strerror(errno));
    return strdup(keep);
  }
  char *folder;
  const char *base = getenv("TMPDIR");
  if (asprintf(&folder, "%s/dusk-lab.XXXXXX", base && *base ? base : "/tmp") <
      0)
    lab_fail("run: no memory for a name");
  if (!mkdtemp(folder))
    lab_fail("run: cannot make the folder %s: %s", folder, strerror(errno));
  return folder;
}

static void folder_remove(const char *folder)
{
  DIR *directory = opendir(folder);
  for (struct dirent *entry; directory && (entry = readdir(directory));)
    if (strcmp(entry->d_name, ".") && strcmp(entry->d_name, ".."))
      unlinkat(dirfd(directory), entry->d_name, 0);
  if (directory)
    closedir(directory);
  rmdir(folder);
}

static int run_write(const struct request *request, const struct grid *grid,
                     const struct host *host, const char *command, FILE *page)
{
  run_table_print(grid, stdout);
  run_page_write(grid, host, command, page);
  int error = page_close(page);
  if (error)
    lab_fail("run: --out %s: %s", request->out, strerror(error));
  fprintf(stderr, "dusk-lab: %s has the plots\n", request->out);
  if (request->keep) {
    char path[4096];
    snprintf(path, sizeof path, "%s/runs.tsv", request->keep);
    if (!run_table_save(grid, path))
      lab_fail("run: --keep: %s: %s", path, strerror(errno));
  }
  int signal_number = child_interrupted();
  return signal_number  ? SIGNAL_STATUS + signal_number
         : grid->failed ? EXIT_FAILURE
                        : EXIT_SUCCESS;
}

int lab_run(int argc, char **argv)
{
  static struct request request;
  static struct host host;
  char command[1024];
  option_join(argc, argv, command, sizeof command);
  read_request(&request, argc, argv);
  /* Before the work, and not after it, is the time to find out. */
  FILE *page = page_open(request.out);
  if (!page)
    lab_fail("run: --out %s: %s", request.out, strerror(errno));
  char *folder = folder_make(request.keep);
  struct grid grid;
  grid_create(&grid, &request.axes, folder);
  host_read(&host);
  grid_run(&grid, request.quiet);
  grid_finish(&grid);
  if (!request.keep)
    folder_remove(folder);
  int status = run_write(&request, &grid, &host, command, page);
  free(folder); /* the grid names files in it until here */
  return status;
}
