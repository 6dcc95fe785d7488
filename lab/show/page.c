/* SPDX-License-Identifier: MIT */
/* page.c -- an HTML page that needs nothing but itself; see page.h */
#include "page.h"

#include "plot.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

/* The colours are far apart in lightness or in blue against yellow, which
 * nearly all eyes can tell; lines differ in their dashes besides. */
static const char style[] =
    ":root{color-scheme:light dark;--back:#fcfcfa;--fore:#1d2127;"
    "--soft:#5a6370;--rule:#d9dde2;--panel:#f3f4f2;--accent:#5b3fa0;"
    "--c0:#0063ad;--c1:#c44d00;--c2:#00785a;--c3:#8b3fa8;--c4:#7d6200;"
    "--c5:#4a5058;--cycle:#5b3fa01c}\n"
    "@media (prefers-color-scheme:dark){:root{--back:#14161b;--fore:#e7e9ec;"
    "--soft:#a2abb8;--rule:#343a44;--panel:#1c2027;--accent:#b9a5f2;"
    "--c0:#62b5f7;--c1:#ff9852;--c2:#45d3a3;--c3:#d59df5;--c4:#e2c355;"
    "--c5:#bcc3cd;--cycle:#b9a5f224}}\n"
    "*{box-sizing:border-box}\n"
    "body{margin:0;background:var(--back);color:var(--fore);"
    "font:16px/1.55 system-ui,\"Segoe UI\",Roboto,\"Noto Sans\",\"DejaVu "
    "Sans\","
    "sans-serif}\n"
    "main,header,footer{max-width:1120px;margin:0 auto;padding:0 24px}\n"
    "header{padding-top:40px}\n"
    "h1{font-size:2rem;line-height:1.2;margin:0 0 8px;letter-spacing:-.01em}\n"
    "h1::before{content:\"\";display:block;width:56px;height:5px;"
    "margin-bottom:14px;border-radius:3px;"
    "background:linear-gradient(90deg,var(--c1),var(--accent))}\n"
    "h2{font-size:1.35rem;margin:44px 0 8px;padding-top:14px;"
    "border-top:1px solid var(--rule)}\n"
    "h3{font-size:1.05rem;margin:26px 0 6px}\n"
    "p{margin:8px 0;max-width:78ch}.lead{color:var(--soft);"
    "font-size:1.06rem}\n"
    "figure{margin:14px 0;padding:14px 16px 12px;background:var(--panel);"
    "border-radius:10px}\n"
    "figcaption{font-weight:600;margin-bottom:6px;font-size:.95rem}\n"
    ".grid{display:grid;gap:14px;"
    "grid-template-columns:repeat(auto-fill,minmax(330px,1fr))}\n"
    ".grid figure{margin:0}\n"
    "svg.plot{display:block;width:100%;height:auto}\n"
    "svg text{fill:var(--soft);font:11.5px system-ui,\"Segoe UI\",Roboto,"
    "\"Noto Sans\",\"DejaVu Sans\",sans-serif}\n"
    "svg .name{fill:var(--fore);paint-order:stroke;stroke:var(--panel);"
    "stroke-width:3px;stroke-linejoin:round}svg "
    ".num{font-variant-numeric:tabular-nums}\n"
    "svg .rule{stroke:var(--rule);stroke-width:1}"
    "svg .edge{stroke:var(--soft);stroke-width:1}\n"
    "svg .line{fill:none;stroke-width:2;stroke-linejoin:round}"
    "svg .thin{stroke-width:1.3}\n"
    "svg .mark{stroke-width:1.8;fill:var(--panel)}svg .full{stroke:none}\n"
    "svg .cycle{fill:var(--cycle)}\n"
    ".s0{stroke:var(--c0)}.s1{stroke:var(--c1)}.s2{stroke:var(--c2)}"
    ".s3{stroke:var(--c3)}.s4{stroke:var(--c4)}.s5{stroke:var(--c5)}\n"
    ".f0{fill:var(--c0)}.f1{fill:var(--c1)}.f2{fill:var(--c2)}"
    ".f3{fill:var(--c3)}.f4{fill:var(--c4)}.f5{fill:var(--c5)}\n"
    "ul.legend{list-style:none;margin:8px 0 0;padding:0;display:flex;"
    "flex-wrap:wrap;gap:4px 20px;font-size:.88rem;color:var(--soft)}\n"
    "ul.legend svg{width:34px;height:12px;vertical-align:-1px;"
    "margin-right:7px}\n"
    ".scroll{overflow-x:auto;margin:12px 0}\n"
    "table{border-collapse:collapse;font-size:.88rem;"
    "font-variant-numeric:tabular-nums}\n"
    "caption{text-align:left;color:var(--soft);padding-bottom:6px}\n"
    "th,td{padding:5px 12px 5px 0;text-align:left;vertical-align:baseline;"
    "border-bottom:1px solid var(--rule)}\n"
    "td{white-space:nowrap}tbody th{font-weight:500;white-space:nowrap}\n"
    "thead th{vertical-align:bottom;color:var(--soft);font-weight:600;"
    "line-height:1.25}\n"
    ".n{text-align:right}td.wide{white-space:normal;color:var(--c1)}\n"
    "tbody tr:hover{background:var(--panel)}\n"
    "footer{color:var(--soft);font-size:.85rem;padding:36px 24px 48px}\n"
    "@media print{figure{break-inside:avoid}}\n";

FILE *page_open(const char *path)
{
  int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0666);
  if (fd < 0)
    return NULL;
  FILE *to = fdopen(fd, "w");
  if (!to)
    close(fd);
  return to;
}

void page_text(FILE *to, const char *text)
{
  for (; *text; text++) {
    unsigned char c = (unsigned char)*text;
    if (c == '&')
      fputs("&amp;", to);
    else if (c == '<')
      fputs("&lt;", to);
    else if (c == '>')
      fputs("&gt;", to);
    else if (c == '"')
      fputs("&quot;", to);
    else if (c < 0x20 || c == 0x7f)
      fputc(' ', to); /* XML has no way to write the others */
    else
      fputc(c, to);
  }
}

/* <tag>text</tag> */
static void page_element(FILE *to, const char *tag, const char *text)
{
  fprintf(to, "<%s>", tag);
  page_text(to, text);
  fprintf(to, "</%s>\n", tag);
}

void page_begin(FILE *to, const char *title, const char *lead)
{
  struct stat status;
  /* A pipe or a terminal has no length to be cut to. */
  if (!fstat(fileno(to), &status) && S_ISREG(status.st_mode) &&
      ftruncate(fileno(to), 0))
    return; /* the writes will fail as well */
  fputs("<!DOCTYPE html>\n<html xmlns=\"http://www.w3.org/1999/xhtml\" "
        "lang=\"en\">\n<head>\n<meta charset=\"utf-8\"/>\n<meta "
        "name=\"viewport\" content=\"width=device-width, "
        "initial-scale=1\"/>\n",
        to);
  page_element(to, "title", title);
  fprintf(to, "<style>\n%s</style>\n</head>\n<body>\n<header>\n", style);
  page_element(to, "h1", title);
  fputs("<p class=\"lead\">", to);
  page_text(to, lead);
  fputs("</p>\n</header>\n<main>\n", to);
}

int page_close(FILE *to)
{
  fputs("</main>\n<footer>Made by dusk-lab, the laboratory of Dusk, a "
        "concurrent garbage collector for C.</footer>\n</body>\n</html>\n",
        to);
  errno = 0;
  bool failed = ferror(to);
  failed |= fclose(to) != 0;
  return failed ? (errno ? errno : EIO) : 0;
}

void page_section(FILE *to, const char *heading)
{
  page_element(to, "h2", heading);
}

void page_subheading(FILE *to, const char *heading)
{
  page_element(to, "h3", heading);
}

void page_paragraph(FILE *to, const char *format, ...)
{
  char *text;
  va_list arguments;
  va_start(arguments, format);
  int length = vasprintf(&text, format, arguments);
  va_end(arguments);
  if (length < 0)
    return;
  page_element(to, "p", text);
  free(text);
}

void page_figure_begin(FILE *to, const char *caption)
{
  fputs("<figure>\n", to);
  page_element(to, "figcaption", caption);
}

void page_figure_end(FILE *to)
{
  fputs("</figure>\n", to);
}

void page_grid_begin(FILE *to)
{
  fputs("<div class=\"grid\">\n", to);
}

void page_grid_end(FILE *to)
{
  fputs("</div>\n", to);
}

void page_legend_begin(FILE *to)
{
  fputs("<ul class=\"legend\">\n", to);
}

/* The swatch repeats what a neighbouring word says: hidden from readers. */
static const char swatch[] =
    "<li><svg viewBox=\"0 0 34 12\" aria-hidden=\"true\">";

void page_legend_line(FILE *to, unsigned series, const char *text)
{
  fprintf(to, "%s<path d=\"M1 6H33\" ", swatch);
  plot_style(to, series);
  fputs("/></svg>", to);
  page_text(to, text);
  fputs("</li>\n", to);
}

void page_legend_mark(FILE *to, unsigned shape, const char *text)
{
  fputs(swatch, to);
  plot_shape(to, 17, 6, 5, shape);
  fputs("</svg>", to);
  page_text(to, text);
  fputs("</li>\n", to);
}

void page_legend_area(FILE *to, const char *class_name, const char *text)
{
  fprintf(to,
          "%s<rect class=\"%s\" x=\"4\" y=\"0\" width=\"26\" "
          "height=\"12\"/></svg>",
          swatch, class_name);
  page_text(to, text);
  fputs("</li>\n", to);
}

void page_legend_end(FILE *to)
{
  fputs("</ul>\n", to);
}

void page_table_begin(FILE *to, const char *caption)
{
  fputs("<div class=\"scroll\" tabindex=\"0\">\n<table>\n", to);
  page_element(to, "caption", caption);
  fputs("<thead>\n<tr>", to);
}

void page_table_heading(FILE *to, const char *text, const char *explanation,
                        bool number)
{
  fprintf(to, "<th scope=\"col\"%s title=\"", number ? " class=\"n\"" : "");
  page_text(to, explanation);
  fputs("\">", to);
  page_text(to, text);
  fputs("</th>\n", to);
}

void page_row_begin(FILE *to)
{
  fputs("<tr>", to);
}

void page_headings_end(FILE *to)
{
  fputs("</tr>\n</thead>\n<tbody>\n", to);
}

void page_cell(FILE *to, const char *text, bool number)
{
  fputs(number ? "<td class=\"n\">" : "<td>", to);
  page_text(to, text);
  fputs("</td>", to);
}

void page_row_heading(FILE *to, const char *text)
{
  fputs("<th scope=\"row\">", to);
  page_text(to, text);
  fputs("</th>", to);
}

void page_cell_wide(FILE *to, const char *text, unsigned columns)
{
  fprintf(to, "<td class=\"wide\" colspan=\"%u\">", columns);
  page_text(to, text);
  fputs("</td>", to);
}

void page_row_end(FILE *to)
{
  fputs("</tr>\n", to);
}

void page_table_end(FILE *to)
{
  fputs("</tbody>\n</table>\n</div>\n", to);
}
