/* SPDX-License-Identifier: MIT */
/* reader.c -- directories -> file names -> bytes -> words -> concordance
 *
 * Whatever asks the disk for something may wait, so it sits in a blocking
 * region, and a blocking region touches no heap object: names are copied out
 * of the heap before, bytes are read into memory from malloc() and become
 * heap objects after.  In the meantime the collector does as it likes. */
#include "reader.h"

#include <ctype.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

enum { TEXT_FIRST = 1 << 16, NAMES_FIRST = 64 };

/* The bytes of one file.  Not on the heap, and no pointers into it. */
struct text {
  char *bytes;
  size_t length;
  size_t capacity;
};

/* In a blocking region. */
static void complain_blocking(const char *path, int error)
{
  fprintf(stderr, "words: %s: %s\n", path, strerror(error));
}

static int file_list_grow(struct file_list *files, dusk_thread *thread)
{
  size_t capacity = files->capacity ? 2 * files->capacity : NAMES_FIRST;
  char **names = dusk_alloc(thread, files->array, capacity * sizeof(*names));
  if (!names)
    return ENOMEM;
  dusk_copy(thread, names, files->names, files->count);
  files->names = names; /* on a stack: no barrier */
  files->capacity = capacity;
  return 0;
}

static int file_list_add(struct file_list *files, dusk_thread *thread,
                         const char *path)
{
  int error = 0;
  if (files->count == files->capacity)
    error = file_list_grow(files, thread);
  if (error)
    return error;
  size_t bytes = strlen(path) + 1;
  char *name = dusk_alloc(thread, DUSK_LEAF, bytes);
  if (!name)
    return ENOMEM;
  memcpy(name, path, bytes);
  dusk_store(thread, &files->names[files->count++], name);
  return 0;
}

static bool is_dot(const char *name)
{
  return strcmp(name, ".") == 0 || strcmp(name, "..") == 0;
}

static int directory_add(struct file_list *files, dusk_thread *thread,
                         char *path, size_t length);

/* Adds what is at `path`, a buffer of PATH_MAX bytes of which `length` are
 * used, by its type. */
static int path_add(struct file_list *files, dusk_thread *thread, char *path,
                    size_t length, bool follow_link)
{
  struct stat status;
  dusk_blocking_begin(thread);
  int failed = follow_link ? stat(path, &status) : lstat(path, &status);
  int error = failed ? errno : 0;
  dusk_blocking_end(thread);
  if (error)
    return error;
  if (S_ISDIR(status.st_mode))
    return directory_add(files, thread, path, length);
  if (S_ISREG(status.st_mode))
    return file_list_add(files, thread, path);
  return 0;
}

static int entry_add(struct file_list *files, dusk_thread *thread, char *path,
                     size_t length, const char *name)
{
  size_t room = PATH_MAX - length;
  int added = snprintf(path + length, room, "/%s", name);
  int error = (size_t)added < room
                  ? path_add(files, thread, path, length + (size_t)added, false)
                  : ENAMETOOLONG;
  if (error && error != ENOMEM) {
    dusk_blocking_begin(thread);
    complain_blocking(path, error);
    dusk_blocking_end(thread);
    error = 0;
  }
  path[length] = 0;
  return error;
}

static int directory_add(struct file_list *files, dusk_thread *thread,
                         char *path, size_t length)
{
  struct dirent **entries;
  dusk_blocking_begin(thread);
  int count = scandir(path, &entries, NULL, alphasort);
  int error = count < 0 ? errno : 0;
  dusk_blocking_end(thread);
  if (error)
    return error;
  for (int i = 0; i < count; i++) {
    if (!error && !is_dot(entries[i]->d_name))
      error = entry_add(files, thread, path, length, entries[i]->d_name);
    free(entries[i]);
  }
  free(entries);
  return error;
}

int file_list_add_tree(struct file_list *files, dusk_thread *thread,
                       const char *path)
{
  char buffer[PATH_MAX];
  size_t length = strlen(path);
  if (length >= sizeof(buffer))
    return ENAMETOOLONG;
  memcpy(buffer, path, length + 1);
  return path_add(files, thread, buffer, length, true);
}

static int text_grow(struct text *text)
{
  size_t capacity = text->capacity ? 2 * text->capacity : TEXT_FIRST;
  char *bytes = realloc(text->bytes, capacity);
  if (!bytes)
    return ENOMEM;
  text->bytes = bytes;
  text->capacity = capacity;
  return 0;
}

/* Reads to the end of the file; in a blocking region.  0 or an errno value. */
static int text_read_blocking(struct text *text, int file)
{
  ssize_t got;
  text->length = 0;
  do {
    if (text->length == text->capacity && text_grow(text))
      return ENOMEM;
    got = read(file, text->bytes + text->length, text->capacity - text->length);
    if (got > 0)
      text->length += (size_t)got;
  } while (got > 0);
  return got < 0 ? errno : 0;
}

/* Loads a whole file; in a blocking region.  What cannot be read is complained
 * of and empty. */
static int text_load_blocking(struct text *text, const char *path)
{
  int file = open(path, O_RDONLY | O_CLOEXEC);
  int error = file < 0 ? errno : text_read_blocking(text, file);
  if (file >= 0)
    close(file);
  if (error && error != ENOMEM) {
    complain_blocking(path, error);
    text->length = 0;
    error = 0;
  }
  return error;
}

/* Letters of every alphabet that comes in UTF-8 or Latin-1. */
static bool is_word_byte(char c)
{
  return isalnum((unsigned char)c) || c == '_' || (unsigned char)c >= 0x80;
}

/* Adds the words of a file, and counts them.  A word that begins with a digit
 * is a number, and is not added. */
static int text_scan(const struct text *text, struct concordance *book,
                     dusk_thread *thread, char *name, uint64_t *words)
{
  uint64_t line = 1;
  for (size_t i = 0, start; i < text->length; i++) {
    dusk_safepoint(thread); /* there may be no words for long */
    for (start = i; i < text->length && is_word_byte(text->bytes[i]);)
      i++;
    if (i > start && !isdigit((unsigned char)text->bytes[start])) {
      struct word *word =
          concordance_intern(book, thread, text->bytes + start, i - start);
      if (!word || concordance_add_place(book, thread, word, name, line, start))
        return ENOMEM;
      ++*words;
    }
    if (i < text->length && text->bytes[i] == '\n')
      line++;
  }
  return 0;
}

static int file_read(struct reading *reading, dusk_thread *thread,
                     struct text *text, char *name, uint64_t *words)
{
  char path[PATH_MAX];
  snprintf(path, sizeof(path), "%s", name);
  dusk_blocking_begin(thread);
  int error = text_load_blocking(text, path);
  dusk_blocking_end(thread);
  if (!error)
    error = text_scan(text, reading->book, thread, name, words);
  atomic_fetch_add(&reading->bytes_done, text->length);
  atomic_fetch_add(&reading->files_done, 1);
  return error;
}

static int files_read(struct reading *reading, dusk_thread *thread,
                      uint64_t *words)
{
  const struct file_list *files = reading->files;
  struct text text = {0};
  size_t i;
  int error = 0;
  while (!error && (i = atomic_fetch_add(&reading->next, 1)) < files->count)
    error =
        file_read(reading, thread, &text, dusk_load(&files->names[i]), words);
  free(text.bytes);
  return error;
}

void *reader_run(void *argument)
{
  struct reading *reading = argument;
  dusk_thread *thread;
  uint64_t words = 0;
  int error = dusk_attach(reading->book->heap, &thread);
  if (!error) {
    error = files_read(reading, thread, &words);
    dusk_detach(thread);
  }
  /* Detached: to wait for this lock holds up nobody. */
  pthread_mutex_lock(&reading->lock);
  reading->running--;
  reading->words += words;
  if (error)
    reading->error = error;
  pthread_cond_signal(&reading->ended);
  pthread_mutex_unlock(&reading->lock);
  return NULL;
}
