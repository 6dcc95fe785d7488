/* SPDX-License-Identifier: MIT */
/* file.h -- files: what the system says in them, and what is reported there
 *
 * Every call to the system goes through `file_system`, a table that a test can
 * replace to make the n-th call fail.  No stream of the C library: those
 * allocate, and belong to the program.  errno is never changed: a refusal is a
 * negative errno value. */
#ifndef DUSK_OS_FILE_H
#define DUSK_OS_FILE_H

#include "base/compiler.h"

#include <fcntl.h>
#include <sys/types.h>

/* As the calls of the same names: -1 and errno when refused. */
struct file_table {
  int (*open)(const char *path, int flags, mode_t mode);
  ssize_t (*read)(int file, void *to, size_t bytes);
  ssize_t (*read_at)(int file, void *to, size_t bytes, off_t offset);
  ssize_t (*read_link)(const char *path, char *to, size_t bytes);
  ssize_t (*write)(int file, const void *from, size_t bytes);
  int (*close)(int file);
  int (*pipe)(int ends[2], int flags);
};
extern struct file_table file_system;

/* A file that is closed when another program is run; what is made is as the
 * umask has it. */
WARN_UNUSED int file_open(const char *path, int flags);
void file_close(int file);

/* The reading end, then the writing end.  false: refused. */
WARN_UNUSED bool file_pipe(int ends[2]);

/* Once, as much as there is; 0: the end. */
ssize_t file_read(int file, void *to, size_t bytes);
ssize_t file_read_at(int file, void *to, size_t bytes, off_t offset);

/* What a symbolic link says, as a string.  false: there is none, or it does not
 * fit. */
bool file_read_link(const char *path, char *to, size_t bytes);

/* All of it; one call, unless the system takes less.  0, or a negative errno
 * value, and a part may be written.  Never a signal, which the program may not
 * expect: not SIGPIPE, nor SIGXFSZ. */
int file_write(int file, const void *from, size_t bytes);

/* A text that is read line by line. */
struct file_lines {
  int file; /* negative: it could not be opened, and has no lines */
  size_t at;
  size_t end;
  char bytes[1024]; /* from `at` to `end`: read, and not yet asked for */
};

void file_lines_open(struct file_lines *lines, const char *path);

/* The next line without its end; one that does not fit is cut.  false: there is
 * none, or it cannot be read. */
bool file_lines_next(struct file_lines *lines, char *line, size_t bytes);

void file_lines_close(struct file_lines *lines);

#endif
