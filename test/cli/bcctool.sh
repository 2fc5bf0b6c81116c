#!/bin/bash
# The program itself: its commands, its links, and output that cannot be written.
# shellcheck disable=SC1091,SC2154,SC2086,SC2012,SC2034
. test/cli/common.bash

mapfile -t names < <("$BCCTOOL" --names)
[[ ${names[*]} ]] || { fail 'no applets are listed'; finish; }
any=${names[0]}

for how in '' --help -h; do
	run "$BCCTOOL" $how
	fact "bcctool $how exits 0" exits 0
	fact "bcctool $how has usage" says 'Usage: bcctool APPLET'
	for name in "${names[@]}"; do
		fact "bcctool $how lists $name" grep -qE "^  $name +[^ ]" "$scratch/out"
	done
done
run "$BCCTOOL" --list
fact '--list exits 0' exits 0
fact '--list has every applet once' test "$(grep -cE '^  [a-z0-9_]+ +[^ ]' "$scratch/out")" -eq ${#names[@]}
fact '--list has headings' grep -qE '^[A-Z].*:$' "$scratch/out"

run "$BCCTOOL" --version
fact '--version exits 0' exits 0
fact '--version names libbpf' says 'libbpf '

# Wrong usage.
for word in opensnop openssnoop oepnsnoop opensn; do
	run "$BCCTOOL" $word
	fact "$word exits 2" exits 2
	fact "$word has a suggestion" complains "no applet '$word'; did you mean 'opensnoop'?"
done
run "$BCCTOOL" qqqqqqqqqqqq
fact 'an unknown applet exits 2' exits 2
fact 'an unknown applet has no suggestion' complains "no applet 'qqqqqqqqqqqq'"
fact 'an unknown applet is not guessed at' test "${err/did you mean/}" = "$err"
for line in --nonesuch --man '--man nonesuch' --install --man-all '--list x' '--version 1 2' 'help nonesuch'; do
	run "$BCCTOOL" $line
	fact "bcctool $line exits 2" exits 2
	fact "bcctool $line prints nothing on stdout" test -z "$out"
	fact "bcctool $line says why" test -n "$err"
done

# Links.
bin=$scratch/new/bin
run "$BCCTOOL" --install "$bin"
fact '--install exits 0' exits 0
fact '--install says nothing' silent
for name in "${names[@]}"; do
	fact "$name is a link to bcctool" test "$(readlink "$bin/$name")" = "$(realpath "$BCCTOOL")"
done
fact 'nothing else is there' test "$(ls -A "$bin" | wc -l)" -eq ${#names[@]}
run "$bin/$any" --help
fact 'a link runs its applet' says "Usage: $any "
run "$bin/$any" --nonesuch
fact 'a link complains in its name' complains "$any: unrecognized option"
run "$BCCTOOL" --install "$bin"
fact 'a second --install exits 0' exits 0
ln -sf /nowhere/bcctool "$bin/$any"
run "$BCCTOOL" --install "$bin"
fact 'a link to another bcctool is replaced' test "$(readlink "$bin/$any")" = "$(realpath "$BCCTOOL")"
rm "$bin/$any"
echo mine >"$bin/$any"
run "$BCCTOOL" --install "$bin"
fact "somebody else's file: exits 1" exits 1
fact "somebody else's file is named" complains "$bin/$any"
fact "somebody else's file is left" test "$(<"$bin/$any")" = mine
ln -sf /bin/true "$bin/$any"
run "$BCCTOOL" --install "$bin"
fact "somebody else's link: exits 1" exits 1
fact "somebody else's link is left" test "$(readlink "$bin/$any")" = /bin/true
rm "$bin/$any"
mkdir "$bin/$any"
run "$BCCTOOL" --install "$bin"
fact 'a folder in the way: exits 1' exits 1
rmdir "$bin/$any"
run "$BCCTOOL" --install "$bin/${names[-1]}/x"
fact 'a folder that cannot be: exits 1' exits 1
fact 'a folder that cannot be: one line' test "$(wc -l <"$scratch/err")" -eq 1

# Pages.
run "$BCCTOOL" --man-all "$scratch/man"
fact '--man-all exits 0' exits 0
fact '--man-all writes a page an applet' \
	test "$(cd "$scratch/man" && ls | sed 's/\.8$//' | sort)" = "$(printf '%s\n' "${names[@]}" | sort)"
for page in man/*.[178]; do
	run mandoc -T lint -W warning "$page"
	fact "$page is clean" silent
done

# Output that cannot be written.
for line in --list --help --names --completion "--man $any" "$any --help"; do
	"$BCCTOOL" $line >/dev/full 2>"$scratch/err"
	code=$? err=$(<"$scratch/err")
	fact "bcctool $line to a full disk exits 1" exits 1
	fact "bcctool $line to a full disk says why" complains 'No space left on device'
	fact "bcctool $line to a full disk: one line" test "$(wc -l <"$scratch/err")" -eq 1
	{
		sleep 0.1 # until nobody reads
		"$BCCTOOL" $line 2>"$scratch/err"
		echo $? >"$scratch/code"
	} | true
	code=$(<"$scratch/code")
	err=$(<"$scratch/err")
	fact "bcctool $line into a closed pipe exits 0" exits 0
	fact "bcctool $line into a closed pipe is quiet" test -z "$err"
done

# Missing standard files: whatever is opened first must not be written to.
"$BCCTOOL" --man-all "$scratch/closed" <&- >&- 2>&-
fact 'without standard files --man-all exits 0' test $? -eq 0
fact 'without standard files pages are whole' diff -r "$scratch/man" "$scratch/closed"
"$BCCTOOL" nonesuch <&- >&- 2>&-
fact 'without standard files an error is still an error' test $? -eq 2
finish
