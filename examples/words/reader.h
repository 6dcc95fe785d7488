/* SPDX-License-Identifier: MIT */
/* reader.h -- files in, words out: the threads that fill the concordance */
#ifndef WORDS_READER_H
#define WORDS_READER_H

#include "concordance.h"

/* The names of the files to read, on the heap.  The struct itself belongs on
 * a stack: `names` is the pointer that keeps them alive. */
struct file_list {
  dusk_kind array;
  char **names; /* an array object of leaf objects */
  size_t count;
  size_t capacity;
};

/* Adds the file `path`, or all files in the directory `path` and below; links
 * in it are not followed.  0 or an errno value; of what is below `path`, only
 * lack of memory is an error, all else a line on stderr. */
int file_list_add_tree(struct file_list *files, dusk_thread *thread,
                       const char *path);

/* What the readers of one run share.  It belongs on the stack of a thread that
 * is attached and waits for them: that keeps the file names alive. */
struct reading {
  struct concordance *book;
  const struct file_list *files; /* nothing is added any more */
  atomic_size_t next;            /* the first file that nobody has taken */
  atomic_size_t files_done;
  atomic_uint_least64_t bytes_done;
  pthread_mutex_t lock; /* guards the rest */
  pthread_cond_t ended; /* one more reader has ended */
  unsigned running;     /* readers that have not */
  uint64_t words;       /* added by those that have */
  int error;            /* why one of them ended early, or 0 */
};

/* A reader's thread: pthread_create(&id, NULL, reader_run, reading). */
void *reader_run(void *reading);

#endif
