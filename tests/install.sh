#!/bin/sh
# SPDX-License-Identifier: MIT
# install.sh -- a program is built with what is installed, and runs
#
# Run by `make installcheck` (and so by `make distcheck`).  Only pkg-config says
# where things are.
set -eu
: "${srcdir:?the top of the source tree}" "${pkgconfigdir:?}" "${libdir:?}"

scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

PKG_CONFIG_PATH=$pkgconfigdir${PKG_CONFIG_PATH:+:$PKG_CONFIG_PATH}
export PKG_CONFIG_PATH
flags=$(${PKG_CONFIG:-pkg-config} --cflags --libs dusk)

# Words on purpose: a compiler with flags, and flags.
${CC:-cc} ${DUSK_LDFLAGS-} "$srcdir/examples/hello.c" $flags -o "$scratch/hello"
LD_LIBRARY_PATH=$libdir "$scratch/hello"
