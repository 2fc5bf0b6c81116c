#!/bin/bash
# Every applet, without privilege: help, wrong usage, manual page.
# shellcheck disable=SC1091,SC2154,SC2086,SC2012
. test/cli/common.bash

mapfile -t names < <("$BCCTOOL" --names)
[[ ${names[*]} ]] || { fail 'no applets are listed'; finish; }
fact 'there are applets' test ${#names[@]} -gt 0
fact 'every ^APPLET( below cmd/ is in the list' \
	test ${#names[@]} -eq "$(grep -hE '^(APPLET|FS(DIST|SLOWER)(_OF)?)\(' -r cmd --include='*.c' | wc -l)"
fact 'names of applets are unique' test -z "$(printf '%s\n' "${names[@]}" | sort | uniq -d)"

# The rendered page, without the overstriking that bold is made of.
page() { mandoc -T utf8 "$1" | col -b; }

# Options as the lists of --help and of a page have them, one a line.
long_options() {
	awk '/^[A-Z]/ { on = /^OPTIONS|^Options/ } on' "$1" |
		sed -nE 's/^ {2,7}(-., )?(--[a-z0-9-]+).*/\2/p' | sort
}
short_options() { sed -nE 's/^  (-.), --.*/\1/p' "$1" | sort; }

check_applet() {
	local name=$1 long help=$scratch/help page=$scratch/page

	run "$BCCTOOL" "$name" --help
	cp "$scratch/out" "$help"
	fact "$name --help exits 0" exits 0
	fact "$name --help has a usage line" says "Usage: $name "
	fact "$name --help says nothing on stderr" test -z "$err"
	fact "$name --help fits 80 columns, but for long examples" \
		test -z "$(grep -vE '^  [a-z]' "$help" | awk 'length > 80')"
	run "$BCCTOOL" help "$name"
	fact "help $name is $name --help" cmp -s "$scratch/out" "$help"

	run "$BCCTOOL" --man "$name"
	cp "$scratch/out" "$scratch/$name.8"
	fact "--man $name exits 0" exits 0
	run mandoc -T lint -W warning "$scratch/$name.8"
	fact "the page of $name is clean" silent
	page "$scratch/$name.8" >"$page"
	fact "the page of $name has no roff left in it" test -z "$(grep -nE '\\f[BIR]|\\\(' "$page")"
	for section in NAME SYNOPSIS DESCRIPTION OPTIONS 'EXIT STATUS' 'SEE ALSO'; do
		fact "the page of $name has $section" grep -qx "$section" "$page"
	done

	fact "--help and the page of $name have the same options" \
		test "$(long_options "$help")" = "$(long_options "$page")"
	for long in --json --csv --cgroup --container --duration --btf --buffer --verbose --help --version; do
		fact "$name has $long" grep -qx -- "$long" <(long_options "$help")
	done
	fact "long options of $name are unique" test -z "$(long_options "$help" | sort | uniq -d)"
	fact "letters of $name are unique" test -z "$(short_options "$help" | uniq -d)"

	run "$BCCTOOL" "$name" --no-such-option
	fact "$name --no-such-option exits 2" exits 2
	fact "$name --no-such-option is named" complains "$name: unrecognized option '--no-such-option'"
	fact "$name: one line and where to look" test "$(wc -l <"$scratch/err")" -eq 2
	fact "$name: errors are not on stdout" test -z "$out"

	run "$BCCTOOL" "$name" --duration abc
	fact "$name --duration abc exits 2" exits 2
	fact "$name --duration abc is explained" \
		complains "$name: --duration: not a number from"
	if grep -q -- '--pid PID' "$help"; then
		run "$BCCTOOL" "$name" --pid 12monkeys
		fact "$name --pid 12monkeys exits 2" exits 2
	fi
	# Not where an argument, or one of two options, cannot be left out: that is said first.
	if [[ $name != argdist ]] && grep -q -- '--pid PID' "$help" && grep -qE '^Usage: .*\[OPTION\.\.\.\]( \[|$)' "$help"; then
		run "$BCCTOOL" "$name" --pid 4194304
		fact "$name --pid 4194304 exits 1" exits 1
		fact "$name --pid 4194304 says why" complains "$name: no such process: 4194304"
	fi
	run "$BCCTOOL" "$name" --json --csv
	fact "$name --json --csv exits 2" exits 2
	run "$BCCTOOL" "$name" --version
	fact "$name --version exits 0" exits 0
}

for name in "${names[@]}"; do
	check_applet "$name"
done
finish
