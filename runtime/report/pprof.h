/* SPDX-License-Identifier: MIT */
/* pprof.h -- a profile in the form that pprof reads
 *
 * profile.proto of github.com/google/pprof: samples, each a stack with values
 * and labels; the addresses of the stacks; the files that are mapped there; and
 * the functions, as far as those files name them.
 *
 *   pprof_begin(..); pprof_addresses(..) for all stacks; pprof_locate();
 *   pprof_sample(..) for each; pprof_write(); pprof_end() */
#ifndef DUSK_REPORT_PPROF_H
#define DUSK_REPORT_PPROF_H

#include "report/pbwire.h"

struct pprof_strings {
  struct pbwire wire; /* their fields */
  struct pprof_string *slots;
  size_t room;
  size_t count;
};

struct pprof {
  struct pbwire wire;
  struct pprof_strings strings;
  uintptr_t *addresses; /* of calls, of all stacks; in order, each once */
  size_t address_count;
  size_t address_room;
  uint64_t *functions; /* of each address; 0: not known */
  bool failed;         /* no memory */
};

/* What each sample has values of. */
struct pprof_type {
  const char *name;
  const char *unit;
};

struct pprof_label {
  const char *key;
  const char *text; /* or NULL: */
  uint64_t number;
};

/* `shown`: the type that pprof shows first; `period`: bytes from sample to
 * sample. */
void pprof_begin(struct pprof *pprof, const struct pprof_type *types,
                 unsigned count, unsigned shown, uint64_t period);

/* Return addresses of a stack that will come. */
void pprof_addresses(struct pprof *pprof, const uintptr_t *pcs, unsigned count);
void pprof_locate(struct pprof *pprof);

/* Values for each type.  The return addresses are known by pprof_addresses();
 * 64 at most. */
void pprof_sample(struct pprof *pprof, const uintptr_t *pcs, unsigned count,
                  const uint64_t *values, unsigned value_count,
                  const struct pprof_label *labels, unsigned label_count);

void pprof_comment(struct pprof *pprof, const char *text);

/* Writes it, packed if the library can.  Returns 0, ENOMEM, or why the
 * descriptor does not take it: an errno value. */
WARN_UNUSED int pprof_write(struct pprof *pprof, int fd);

void pprof_end(struct pprof *pprof);

#endif
