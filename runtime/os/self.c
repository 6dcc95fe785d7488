/* SPDX-License-Identifier: MIT */
/* self.c -- the calling thread's stack and registers, the program's variables
 *
 * Runs on each thread that a conservative scan is about, by the thread itself:
 * nothing is kept, no lock of ours.  self_save() is on the path of every
 * handshake; it takes some ten instructions.
 *
 * A caller's pointer may be in three places only: in its frame or above, in a
 * register that calls preserve, or in one that calls clobber; and what it needs
 * after the call it has moved out of the last kind.  Compiled C cannot read the
 * other two exactly: a prologue may have pushed the caller's registers into a
 * frame that is gone when the function returns.  So self_save() is written in
 * assembler, without a frame, which also keeps the sanitizers out of it.
 *
 * Tested by tests/unit/self.c, both ways.
 */
#include "os/self.h"

#include "base/atomic.h"
#include "base/bits.h"
#include "base/steps.h"
#include "os/assembler.h"

#include <errno.h>
#include <link.h>
#include <string.h>

struct self_table self_system = {
    .make_key = pthread_key_create,
    .set = pthread_setspecific,
    .attributes = pthread_getattr_np,
};

static struct {
  uint64_t number;          /* the key and 1; 0: there is none yet; atomic */
  void (*ends)(void *word); /* atomic */
} own;

static pthread_key_t own_key(void)
{
  return (pthread_key_t)(LOAD_RELAXED(&own.number) - 1);
}

void self_name(char name[SELF_NAME])
{
  int saved = errno;
  /* Those who play threads have no names. */
  if (steps_taken() || pthread_getname_np(pthread_self(), name, SELF_NAME))
    memset(name, 0, SELF_NAME);
  errno = saved;
}

/* No pthread_once(): what was refused once would be refused for ever.  No lock
 * either, as another thread may fork.  Of several at once one key is kept. */
int self_word_open(void (*ends)(void *word))
{
  uint64_t none = 0;
  pthread_key_t key;
  if (LOAD_ACQUIRE(&own.number)) /* with the compare-and-swap below */
    return 0;
  STORE_RELAXED(&own.ends, ends); /* the same each time */
  int error = self_system.make_key(&key, ends);
  if (!error && !CAS_ACQ_REL(&own.number, &none, (uint64_t)key + 1))
    pthread_key_delete(key);
  return error;
}

void *self_word(void)
{
  return steps_taken() ? *steps_taken()->word()
                       : pthread_getspecific(own_key());
}

int self_set_word(void *word)
{
  if (!steps_taken())
    return self_system.set(own_key(), word);
  *steps_taken()->word() = word;
  return 0;
}

void self_end(void)
{
  void *word = self_word();
  if (word) {
    self_set_word(NULL);
    LOAD_RELAXED (&own.ends)(word);
  }
}

pthread_t self_thread(void)
{
  return steps_taken() ? steps_taken()->self() : pthread_self();
}

int self_stack(uintptr_t *low, uintptr_t *high)
{
  if (steps_taken()) {
    steps_taken()->stack(low, high);
    return 0;
  }
  pthread_attr_t attributes;
  void *start;
  size_t size;
  int saved = errno;
  int error = self_system.attributes(pthread_self(), &attributes);
  if (!error) {
    error = pthread_attr_getstack(&attributes, &start, &size);
    pthread_attr_destroy(&attributes);
  }
  if (!error) {
    *low = (uintptr_t)start;
    *high = (uintptr_t)start + size;
  }
  errno = saved;
  return error;
}

#if defined(__x86_64__) && defined(__LP64__) && !defined(SELF_PORTABLE)

/* The first instruction is a landing pad for indirect branches, the rule where
 * the processor enforces them, and nothing elsewhere.  At the entry the return
 * address is on the stack; the caller's own words begin above it. */
ASSEMBLER_FUNCTION("self_save", "  endbr64\n"
                                "  movq %rbx, 0(%rdi)\n"
                                "  movq %rbp, 8(%rdi)\n"
                                "  movq %r12, 16(%rdi)\n"
                                "  movq %r13, 24(%rdi)\n"
                                "  movq %r14, 32(%rdi)\n"
                                "  movq %r15, 40(%rdi)\n"
                                "  leaq 8(%rsp), %rax\n"
                                "  ret\n");

#elif defined(__aarch64__) && defined(__LP64__) && !defined(SELF_PORTABLE)

/* hint #34 is the landing pad (bti c).  The low halves of v8-v15 are preserved
 * too, and a compiler that is short of registers may keep a pointer there. */
ASSEMBLER_FUNCTION("self_save", "  hint #34\n"
                                "  stp x19, x20, [x0]\n"
                                "  stp x21, x22, [x0, #16]\n"
                                "  stp x23, x24, [x0, #32]\n"
                                "  stp x25, x26, [x0, #48]\n"
                                "  stp x27, x28, [x0, #64]\n"
                                "  str x29, [x0, #80]\n"
                                "  stp d8, d9, [x0, #88]\n"
                                "  stp d10, d11, [x0, #104]\n"
                                "  stp d12, d13, [x0, #120]\n"
                                "  stp d14, d15, [x0, #136]\n"
                                "  mov x0, sp\n"
                                "  ret\n");

#else

/* Copies the stack from its own frame upwards: self_save()'s frame is in it, as
 * far as it matters 128 words suffice for both on every machine we know of. */
static READS_AMBIGUOUS_WORDS uintptr_t copy_frames(uintptr_t *registers)
{
  uintptr_t here = (uintptr_t)__builtin_frame_address(0);
  const volatile uintptr_t *stack = (const volatile uintptr_t *)here;
  for (size_t i = 0; i < SELF_REGISTERS; i++)
    registers[i] = stack[i];
  return here;
}

/* Makes the compiler push every preserved register, as it does for a function
 * that catches exceptions, and keeps what it pushed.  The frame is gone when
 * this returns, hence the copy. */
READS_AMBIGUOUS_WORDS uintptr_t self_save(uintptr_t registers[SELF_REGISTERS])
{
  __builtin_unwind_init();
  volatile uintptr_t here = copy_frames(registers);
  return here;
}

#endif

struct segment_visit {
  void (*visit)(uintptr_t start, uintptr_t end, void *context);
  void *context;
};

static int visit_object(struct dl_phdr_info *object, size_t size, void *context)
{
  const struct segment_visit *to = context;
  (void)size;
  for (size_t i = 0; i < object->dlpi_phnum; i++) {
    const ElfW(Phdr) *segment = &object->dlpi_phdr[i];
    if (segment->p_type != PT_LOAD || (~segment->p_flags & (PF_R | PF_W)))
      continue;
    uintptr_t at = object->dlpi_addr + segment->p_vaddr;
    uintptr_t start = align_up(at, sizeof(uintptr_t));
    uintptr_t end = align_down(at + segment->p_memsz, sizeof(uintptr_t));
    if (start < end)
      to->visit(start, end, to->context);
  }
  return 0;
}

void self_data_segments(void (*visit)(uintptr_t start, uintptr_t end,
                                      void *context),
                        void *context)
{
  struct segment_visit to = {visit, context};
  int saved = errno;
  dl_iterate_phdr(visit_object, &to);
  errno = saved;
}
