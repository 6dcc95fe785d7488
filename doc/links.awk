# SPDX-License-Identifier: MIT
# links.awk -- the other names of the pages of section 3
#
# A page describes several functions and is named after the first; prints, for
# each of the others that its NAME lists, the function and the page.
FNR == 1 {
  page = FILENAME
  sub(".*/", "", page)
}
/^\.SH/ {
  naming = $2 == "NAME"
  next
}
naming {
  for (i = 1; i <= NF && $i != "\\-"; i++) {
    name = $i
    sub(",$", "", name)
    if (name ".3" != page)
      print name, page
  }
  if (i <= NF)
    naming = 0
}
