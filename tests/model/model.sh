#!/bin/sh
# SPDX-License-Identifier: MIT
# model.sh -- the small models: what holds, and what each bug would lose
set -eu
: "${srcdir:?the top of the source tree}"

if ! command -v spin >/dev/null; then
  echo "spin is not installed"
  exit 77
fi
exec sh "$srcdir/tests/model/run" --small
