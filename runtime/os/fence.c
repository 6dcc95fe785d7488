/* SPDX-License-Identifier: MIT */
/* fence.c -- memory that notices who writes to it
 *
 *   store --> SIGSEGV: open the page, step one instruction
 *         --> SIGTRAP: what has changed? close the page
 *
 * While one thread steps, another may write to the same page unseen: the stack
 * of that store is missing, nothing else.
 *
 * The handlers touch what is their thread's own, the regions, and the list of
 * stores, whose entries are taken by an atomic count.  They unwind the stack
 * between two instructions of the program, which holds no lock of libunwind
 * there, unless it throws exceptions through code that writes to the heap.
 * Other faults and traps go to the handlers that were there before.
 *
 * If the system refuses to change one page more (each costs it a mapping), the
 * fence falls for good.
 *
 * Tested by tests/unit/fence.c and tests/mistakes.sh. */
#include "os/fence.h"

#if defined(__linux__) && defined(__x86_64__) && defined(__LP64__) &&          \
    !defined(__SANITIZE_THREAD__) && !defined(__SANITIZE_ADDRESS__)

#include "base/atomic.h"
#include "os/unwind.h"
#include "os/vm.h"

#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <ucontext.h>

enum { WORD = sizeof(uintptr_t) };
enum { REGIONS = 8, STORES = 1024, STEP_WORDS = 8, STEP_PAGES = 4 };
enum { TRAP_FLAG = 1 << 8, FAULT_WRITE = 1 << 1 };

struct region {
  uintptr_t start; /* 0: free; release when the rest is written */
  size_t bytes;
  fence_guards *guards;
  void *context;
};

static struct region regions[REGIONS];
static pthread_mutex_t regions_mutex = PTHREAD_MUTEX_INITIALIZER;
static bool installed; /* with the mutex */
static struct sigaction fault_before, trap_before;
static uint32_t fallen; /* atomic */

static struct fence_store stores[STORES];
static uint32_t stores_count; /* atomic: ever taken */

/* What the thread may write to, and the step that it is in. */
struct self {
  bool speaks; /* it has said what it expects */
  bool everywhere;
  /* Complements: a thread's variables may lie above its stack, which is read
   * for pointers, and these are none of the program's. */
  uintptr_t not_expected, expected_bytes;
  uintptr_t not_filled, filled_bytes;
  unsigned pages_count; /* in a step: opened for it */
  uintptr_t pages[STEP_PAGES];
  uintptr_t address; /* of the words below; 0: expected */
  unsigned words;
  uintptr_t before[STEP_WORDS];
  sigset_t mask;
};

/* Initial-exec: a handler must not be the one that makes it. */
static _Thread_local struct self self
    __attribute__((tls_model("initial-exec")));

static const struct region *find_region(uintptr_t address)
{
  for (unsigned i = 0; i < REGIONS; i++) {
    uintptr_t start = LOAD_ACQUIRE(&regions[i].start); /* with fence_open() */
    if (start && address - start < regions[i].bytes)
      return &regions[i];
  }
  return NULL;
}

static uintptr_t page_of(uintptr_t address)
{
  return address & ~((uintptr_t)vm_page_size() - 1);
}

static void fall(const struct region *region)
{
  STORE_RELAXED(&fallen, 1);
  mprotect((void *)region->start, region->bytes, PROT_READ | PROT_WRITE);
}

static void open_page(const struct region *region, uintptr_t page)
{
  if (mprotect((void *)page, vm_page_size(), PROT_READ | PROT_WRITE) != 0)
    fall(region);
}

static void close_pages(uintptr_t page, size_t bytes)
{
  if (!LOAD_RELAXED(&fallen) && mprotect((void *)page, bytes, PROT_READ) != 0) {
    const struct region *region = find_region(page);
    if (region)
      fall(region);
  }
}

static bool is_expected(uintptr_t address)
{
  return address - ~self.not_expected < self.expected_bytes;
}

static bool is_filled(uintptr_t address)
{
  return address - ~self.not_filled < self.filled_bytes;
}

/* A page that holds other objects than the one that is being filled is opened
 * for a step only. */
static enum fence_guard guard_of(const struct region *region, uintptr_t address)
{
  uintptr_t page = page_of(address);
  if (!self.speaks || self.everywhere ||
      (is_filled(page) && is_filled(page + vm_page_size() - 1)))
    return FENCE_UNWANTED;
  return region->guards(region->context, address);
}

/* Keeps the words that the instruction may change. */
static void keep_words(uintptr_t address)
{
  uintptr_t end = page_of(address) + vm_page_size();
  self.address = address & ~(uintptr_t)(WORD - 1);
  self.words = 0;
  for (uintptr_t at = self.address; at < end && self.words < STEP_WORDS;
       at += WORD)
    self.before[self.words++] = *(const volatile uintptr_t *)at;
}

static void begin_step(ucontext_t *context, uintptr_t address)
{
  self.address = 0;
  if (!is_expected(address) && !is_filled(address))
    keep_words(address);
  self.mask = context->uc_sigmask;
  sigfillset(&context->uc_sigmask);
  sigdelset(&context->uc_sigmask, SIGSEGV);
  sigdelset(&context->uc_sigmask, SIGTRAP);
  context->uc_mcontext.gregs[REG_EFL] |= TRAP_FLAG;
}

static void remember(ucontext_t *context, uintptr_t address, uintptr_t after)
{
  struct fence_store *store = &stores[ADD_RELAXED(&stores_count, 1) % STORES];
  store->address = address;
  store->after = after;
  store->count = unwind_interrupted(context, store->pcs, FENCE_FRAMES);
}

static void end_step(ucontext_t *context)
{
  for (unsigned i = 0; self.address && i < self.words; i++) {
    uintptr_t address = self.address + i * WORD;
    uintptr_t after = *(const volatile uintptr_t *)address;
    if (after != self.before[i] &&
        (find_region(after) || find_region(self.before[i])))
      remember(context, address, after);
  }
  self.address = 0;
  memset(self.before, 0, sizeof self.before);
  while (self.pages_count) {
    close_pages(self.pages[--self.pages_count], vm_page_size());
    self.pages[self.pages_count] = 0;
  }
  context->uc_sigmask = self.mask;
  context->uc_mcontext.gregs[REG_EFL] &= ~(greg_t)TRAP_FLAG;
}

static void pass_on(int number, siginfo_t *info, void *context,
                    const struct sigaction *before)
{
  if (before->sa_flags & SA_SIGINFO)
    before->sa_sigaction(number, info, context);
  else if (before->sa_handler != SIG_DFL && before->sa_handler != SIG_IGN)
    before->sa_handler(number);
  else
    sigaction(number, before, NULL); /* and it happens again */
}

static void handle_fault(int number, siginfo_t *info, void *argument)
{
  int saved = errno;
  ucontext_t *context = argument;
  uintptr_t address = (uintptr_t)info->si_addr;
  bool writes = info->si_code == SEGV_ACCERR &&
                context->uc_mcontext.gregs[REG_ERR] & FAULT_WRITE;
  const struct region *region = writes ? find_region(address) : NULL;
  enum fence_guard guard = region ? guard_of(region, address) : FENCE_FAULT;
  uintptr_t page = page_of(address);
  if (guard == FENCE_FAULT) {
    pass_on(number, info, context, &fault_before);
  } else if (guard == FENCE_UNWANTED) {
    open_page(region, page);
  } else {
    if (!self.pages_count)
      begin_step(context, address);
    if (self.pages_count < STEP_PAGES)
      self.pages[self.pages_count++] = page;
    open_page(region, page);
  }
  errno = saved;
}

static void handle_trap(int number, siginfo_t *info, void *context)
{
  int saved = errno;
  if (self.pages_count)
    end_step(context);
  else
    pass_on(number, info, context, &trap_before);
  errno = saved;
}

/* With the mutex. */
static bool install(void)
{
  struct sigaction fault = {.sa_sigaction = handle_fault};
  struct sigaction trap = {.sa_sigaction = handle_trap};
  if (installed)
    return true;
  fault.sa_flags = trap.sa_flags = SA_SIGINFO | SA_ONSTACK | SA_RESTART;
  sigfillset(&fault.sa_mask);
  sigfillset(&trap.sa_mask);
  installed = sigaction(SIGSEGV, &fault, &fault_before) == 0 &&
              sigaction(SIGTRAP, &trap, &trap_before) == 0;
  return installed;
}

bool fence_open(uintptr_t start, size_t bytes, fence_guards *guards,
                void *context)
{
  bool done = false;
  pthread_mutex_lock(&regions_mutex);
  for (unsigned i = 0; !done && i < REGIONS && install(); i++) {
    struct region *region = &regions[i];
    if (region->start)
      continue;
    region->bytes = bytes;
    region->guards = guards;
    region->context = context;
    STORE_RELEASE(&region->start, start); /* with find_region() */
    done = true;
  }
  pthread_mutex_unlock(&regions_mutex);
  return done;
}

void fence_close(uintptr_t start)
{
  pthread_mutex_lock(&regions_mutex);
  for (unsigned i = 0; i < REGIONS; i++)
    if (regions[i].start == start)
      STORE_RELEASE(&regions[i].start, 0); /* with find_region() */
  pthread_mutex_unlock(&regions_mutex);
}

void fence_hold(void)
{
  pthread_mutex_lock(&regions_mutex);
}

void fence_let_go(void)
{
  pthread_mutex_unlock(&regions_mutex);
}

void fence_renew(void)
{
  pthread_mutex_init(&regions_mutex, NULL);
}

void fence_raise(uintptr_t start, size_t bytes)
{
  uintptr_t first = page_of(start);
  uintptr_t end = page_of(start + bytes - 1) + vm_page_size();
  if (bytes)
    close_pages(first, end - first);
}

void fence_expect(uintptr_t start, size_t bytes)
{
  self.speaks = true;
  self.not_expected = ~start;
  self.expected_bytes = bytes;
}

void fence_fill(uintptr_t start, size_t bytes)
{
  self.speaks = true;
  self.not_filled = ~start;
  self.filled_bytes = bytes;
}

bool fence_let(bool everywhere)
{
  bool before = self.everywhere;
  self.everywhere = everywhere;
  return before;
}

bool fence_find(uintptr_t address, uintptr_t after, struct fence_store *store)
{
  uint32_t end = LOAD_RELAXED(&stores_count);
  uint32_t count = end < STORES ? end : STORES;
  for (uint32_t i = 1; i <= count; i++) {
    const struct fence_store *seen = &stores[(end - i) % STORES];
    if (seen->address == address && seen->after == after) {
      *store = *seen;
      return true;
    }
  }
  return false;
}

#else

bool fence_open(uintptr_t start, size_t bytes, fence_guards *guards,
                void *context)
{
  (void)start;
  (void)bytes;
  (void)guards;
  (void)context;
  return false;
}

void fence_close(uintptr_t start)
{
  (void)start;
}

void fence_hold(void) {}

void fence_let_go(void) {}

void fence_renew(void) {}

void fence_raise(uintptr_t start, size_t bytes)
{
  (void)start;
  (void)bytes;
}

void fence_expect(uintptr_t start, size_t bytes)
{
  (void)start;
  (void)bytes;
}

void fence_fill(uintptr_t start, size_t bytes)
{
  (void)start;
  (void)bytes;
}

bool fence_let(bool everywhere)
{
  return everywhere;
}

bool fence_find(uintptr_t address, uintptr_t after, struct fence_store *store)
{
  (void)address;
  (void)after;
  (void)store;
  return false;
}

#endif
