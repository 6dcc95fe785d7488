/* SPDX-License-Identifier: MIT */
/* page.h -- an HTML page that needs nothing but itself
 *
 * Colours follow the reader's choice of light or dark; every plot has a
 * description and a table beside it; the markup is XML as well, so that tools
 * can read it.  Text goes through page_text(), which escapes it.  Write errors
 * stay in the stream, where page_close() finds them. */
#ifndef DUSK_LAB_PAGE_H
#define DUSK_LAB_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

/* Opens a file for writing and leaves what is in it until page_begin(), so
 * that a name that cannot be written is found out before the work is done.
 * NULL: errno says why. */
FILE *page_open(const char *path);

/* Empties the file and writes all up to the first section.  `lead` is a
 * sentence on what the page shows. */
void page_begin(FILE *to, const char *title, const char *lead);

/* Ends the page and closes the file.  Returns 0, or the errno value of the
 * first write that failed. */
int page_close(FILE *to);

void page_text(FILE *to, const char *text);

void page_section(FILE *to, const char *heading);
void page_subheading(FILE *to, const char *heading);
void page_paragraph(FILE *to, const char *format, ...)
    __attribute__((format(printf, 2, 3)));

/* Between them stand plots, and then legend entries. */
void page_figure_begin(FILE *to, const char *caption);
void page_figure_end(FILE *to);

/* Several small figures side by side. */
void page_grid_begin(FILE *to);
void page_grid_end(FILE *to);

/* The legend: entries between begin and end. */
void page_legend_begin(FILE *to);
void page_legend_line(FILE *to, unsigned series, const char *text);
void page_legend_mark(FILE *to, unsigned shape, const char *text);
void page_legend_area(FILE *to, const char *class_name, const char *text);
void page_legend_end(FILE *to);

/* Numbers stand to the right.  The first cell of a row is its heading. */
void page_table_begin(FILE *to, const char *caption);
void page_table_heading(FILE *to, const char *text, const char *explanation,
                        bool number);
void page_headings_end(FILE *to);
void page_row_begin(FILE *to);
void page_cell(FILE *to, const char *text, bool number);
void page_row_heading(FILE *to, const char *text);
void page_cell_wide(FILE *to, const char *text, unsigned columns);
void page_row_end(FILE *to);
void page_table_end(FILE *to);

#endif
