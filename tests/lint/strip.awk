# SPDX-License-Identifier: MIT
# strip.awk -- C without its comments; the lines keep their numbers
#
# Knows nothing of comments that begin inside a string; we write none.
{
  line = $0
  code = ""
  while (line != "") {
    if (inside) {
      end = index(line, "*/")
      inside = !end
      line = end ? substr(line, end + 2) : ""
    } else {
      start = index(line, "/*")
      inside = start > 0
      code = code (start ? substr(line, 1, start - 1) " " : line)
      line = start ? substr(line, start + 2) : ""
    }
  }
  print code
}
