#!/bin/sh
# SPDX-License-Identifier: MIT
# headers.sh -- each public header compiles alone, as C11 and as C++17, and the
# version they name is the package's
set -eu
: "${srcdir:?the top of the source tree}" "${PACKAGE_VERSION:?}"

bad=0

# compile HEADER COMPILER-AND-FLAGS...
compile() {
  header=$1
  shift
  if ! echo "#include <$header>" |
    "$@" -pedantic -Wall -Wextra -Wundef -Wshadow -Werror -fsyntax-only \
      -I"$srcdir/include" -; then
    echo "include/$header does not compile alone by: $*"
    bad=1
  fi
}

cxx=${CXX:-c++}
if ! echo 'int main() {}' | $cxx -x c++ -fsyntax-only - 2>/dev/null; then
  echo "no C++ compiler: the headers are not tried as C++"
  cxx=
fi

for file in "$srcdir"/include/*.h "$srcdir"/include/dusk/*.h; do
  header=${file#"$srcdir"/include/}
  compile "$header" ${CC:-cc} -std=c11 -x c
  [ -z "$cxx" ] || compile "$header" $cxx -std=c++17 -x c++
done

version=$(awk '/^#define DUSK_VERSION_/ { printf "%s%s", dot, $3; dot = "." }' \
  "$srcdir/include/dusk/types.h")
if [ "$version" != "$PACKAGE_VERSION" ]; then
  echo "dusk/types.h says version $version, configure.ac $PACKAGE_VERSION"
  bad=1
fi

exit $bad
