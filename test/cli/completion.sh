#!/bin/bash
# Completion for bash: right as a script, and right in what it offers.
# shellcheck disable=SC1091,SC2154,SC2086,SC2012
. test/cli/common.bash

"$BCCTOOL" --completion >"$scratch/bcctool"
fact 'it is bash' bash -n "$scratch/bcctool"
fact 'it needs no helpers' test -z "$(grep -nE '_init_completion|_get_comp_words|_comp_' "$scratch/bcctool")"

cat >"$scratch/try" <<'TRY'
. "$1"
shift
COMP_WORDS=("$@")
COMP_CWORD=$(($# - 1))
_bcctool
printf '%s\n' "${COMPREPLY[@]}"
TRY

# offers WORD... FOR LINE: completing the last word of LINE, what is offered has all of WORD...
offered() {
	bash "$scratch/try" "$scratch/bcctool" "$@" 2>"$scratch/err" >"$scratch/out"
	fact "completing '$*' says nothing on stderr" test ! -s "$scratch/err"
}
has() { fact "$1 is offered for $2" grep -qxF -- "$1" "$scratch/out"; }
has_not() { fact "$1 is not offered for $2" test -z "$(grep -xF -- "$1" "$scratch/out")"; }

mapfile -t names < <("$BCCTOOL" --names)
[[ ${names[*]} ]] || { fail 'no applets are listed'; finish; }
any=${names[0]}
offered bcctool ''
for name in "${names[@]}" check help --list --install; do
	has "$name" 'bcctool'
done
offered bcctool "${any:0:3}"
has "$any" "bcctool ${any:0:3}"
has_not --list "bcctool ${any:0:3}"
offered bcctool check "${any:0:3}"
has "$any" 'check'
offered bcctool --man ''
has "$any" '--man'

for name in "${names[@]}"; do
	options=$("$BCCTOOL" "$name" --help | grep -oE '^ {2,6}(-., )?--[a-z0-9_-]+' | grep -oE -- '-[^ ,]+')
	offered bcctool "$name" -
	fact "all options of $name are offered, and no others" \
		test "$(sort "$scratch/out")" = "$(sort <<<"$options")"
	offered "/some/where/$name" --js
	fact "$name by its link offers --json" test "$(<"$scratch/out")" = --json
done

touch "$scratch/some file"
for words in '--btf' '--cgroup' '--btf ='; do
	offered bcctool "$any" $words "$scratch/some"
	has "$scratch/some file" "$words"
done
offered bcctool --install "$scratch/some"
has "$scratch/some file" --install
offered bcctool "$any" --duration ''
fact 'nothing is offered for a number' test -z "$(<"$scratch/out")"
offered bcctool nonesuch -
fact 'nothing is offered for an unknown applet' test -z "$(<"$scratch/out")"
offered bcctool '' -
finish
