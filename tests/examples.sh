#!/bin/sh
# SPDX-License-Identifier: MIT
# examples.sh -- run each example small, and compare all that it prints
#
# The programs are in $top_builddir/examples.  `words` is held against
# tr, sort and uniq on the same files.  Stops at the first difference.
set -eu

programs=$(cd "${top_builddir:-.}/examples" && pwd)
work=$(mktemp -d "${TMPDIR:-/tmp}/dusk-examples.XXXXXX")
trap 'rm -rf "$work"' EXIT
LC_ALL=C
export LC_ALL
cd "$work"

fail()
{
  echo "examples.sh: $*" >&2
  exit 1
}

# same WHAT EXPECTED ACTUAL: two files with the same content
same()
{
  diff -u "$2" "$3" >&2 || fail "$1: not what it should be"
}

# fails STATUS COMMAND...: it exits so, and says why in a line of its own name
fails()
{
  want=$1
  program=$2
  shift 2
  status=0
  "$programs/$program" "$@" >out 2>err || status=$?
  test "$status" -eq "$want" || fail "$program $*: exit $status, not $want"
  test -s err || fail "$program $*: says nothing"
  test ! -s out || fail "$program $*: prints results all the same"
}

# --- hello: the sum is exact; a stale word on the stack may keep an object
"$programs/hello" >hello
grep -qx 'sum 500500000' hello || fail 'hello: the sum is wrong'
awk '/^1000000 objects made, / { found = $4 >= 1000 && $4 < 1100 }
     END { exit !found }' hello || fail "hello: $(tail -n 1 hello)"

# --- trees
printf '%s\t %s\n' \
  'stretch tree of depth 11' 'check: 4095' >expected
printf '%s\t trees of depth %s\t check: %s\n' \
  1024 4 31744 256 6 32512 64 8 32704 16 10 32752 >>expected
printf '%s\t %s\n' \
  'long lived tree of depth 10' 'check: 2047' >>expected
"$programs/trees" 10 2 >actual
same 'trees 10 2' expected actual
DUSK_GCPERCENT=1 "$programs/trees" 10 3 >actual
same 'trees 10 3 at 1 percent' expected actual
fails 2 trees x
fails 2 trees 10 0
fails 2 trees 10 1 1

# --- words: 24 files of words that grow every shard's table, names in several
# folders, a file without words, and links that must not be followed
mkdir -p text/deep/deeper
awk 'BEGIN {
  for (file = 0; file < 24; file++) {
    name = (file % 3 ? "text/deep/" : "text/deep/deeper/") file ".txt"
    for (line = 0; line < 300; line++) {
      seed = (seed * 16807 + 12345) % 2147483647
      printf "the w%d(%d) _x%d\tna\303\257ve", seed % 9001, seed, line >name
      printf ",v%d%s", seed % 97, line % 7 ? "\n" : "." >name
    }
    close(name)
  }
}'
: >text/empty
ln -s deep text/link
ln -s nowhere text/broken
find text -type f -exec cat {} + |
  tr -cs 'A-Za-z0-9_\200-\377' '\n' | grep -v '^[0-9]' | grep . |
  sort | uniq -c | awk '{ print $1, $2 }' | sort -k1,1nr -k2,2 >expected
for options in '--threads 1' '--threads 4' '-t 4 --gc-percent 1' '-t 2 -g off'
do
  # shellcheck disable=SC2086 # several options
  "$programs/words/words" --quiet --top 10000 $options text >actual 2>err ||
    fail "words $options: $(cat err)"
  awk '{ print $1, $2 }' actual >counts
  same "words $options" expected counts
done

# The places of one word: all counted, the first in order of name and line
word=v7
count=$(awk -v word="$word" '$2 == word { print $1 }' expected)
"$programs/words/words" -q -n 0 --word "$word" text >actual
head -n 1 actual | grep -qx "\"$word\": $count in all" ||
  fail "words --word $word: $(head -n 1 actual)"
find text -type f | sort | xargs grep -now "$word" | head -n 8 |
  cut -d : -f 1,2 >expected
sed 1d actual | awk '{ print $NF }' >counts
same "words --word $word" expected counts
"$programs/words/words" -q -n 0 --word absent text >actual
grep -qx '"absent": 0 in all' actual ||
  fail 'words --word absent: is there'

# What it says without --quiet, into a pipe: no progress line
"$programs/words/words" text >out 2>err
if grep -q "$(printf '\r')" err; then
  fail 'words: a progress line without a terminal'
fi
for figure in '^25 files, ' ^heap ^made ^cycles '^looked up .* 0 wrong'
do
  grep -q "$figure" out || fail "words: prints no line with $figure"
done
"$programs/words/words" --help | grep -q '^usage: words ' || fail 'words --help'

fails 2 words/words --nonsense text
fails 2 words/words --threads 0 text
fails 2 words/words --top many text
fails 2 words/words --gc-percent -5 text
fails 2 words/words --word
fails 1 words/words text/missing
fails 1 words/words text/broken
fails 1 words/words /dev/null
