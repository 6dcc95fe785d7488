#!/bin/sh
# SPDX-License-Identifier: MIT
# sources.sh -- every file is in its folder's local.mk
#
# A file that no list names is neither built, nor run, nor in the tarball.  A
# program is listed without its .c.
set -eu
: "${srcdir:?the top of the source tree}"

cd "$srcdir"
bad=0
for folder in include runtime lab inspector examples tests bench doc; do
  for file in $(find "$folder" -type f \( \
    -name '*.[ch137]' -o -name '*.def' \
    -o -name '*.md' -o -name '*.txt' -o -name '*.sh' -o -name '*.awk' \
    -o -name '*.pml' -o -name '*.patch' \
    -o -name '*.sim' -o -name '*.go' -o -name '*.mod' -o -name run \) |
    LC_ALL=C sort); do
    name=%reldir%/${file#"$folder"/}
    if ! tr -s ' \t' '\n\n' <"$folder/local.mk" |
      grep -qxF -e "$name" -e "${name%.c}"; then
      echo "$file is not in $folder/local.mk; ./dev sources prints the list"
      bad=1
    fi
  done
done
exit $bad
