#!/bin/bash
# The options of BCC's tools and of libbpf-tools, in options.txt, are taken by either name, with their
# values: --help after them is reached only if they are.
# shellcheck disable=SC1091,SC2154,SC2086,SC2012
. test/cli/common.bash

disk=$(ls /sys/block | head -1)

check_options() {
	local name=$1 word usage=()
	shift
	for word; do
		if [[ $word != -* ]]; then
			usage+=("$word")
			continue
		fi
		local names=${word%%=*} value=()
		[[ $word != *=* ]] || value=("${word#*=}")
		if [[ $word == --exec ]]; then # what follows is a command
			run "$BCCTOOL" "$name" --exec
			fact "$name --exec wants a command" complains "option '--exec' requires an argument"
			continue
		fi
		[[ ${value[*]} != DISK ]] || value=("$disk")
		[[ ${value[*]-x} ]] || continue # no disk here
		for option in ${names//\// }; do
			run "$BCCTOOL" "$name" "$option" "${value[@]}" --help
			[[ $option != --version && $option != -V ]] || out="Usage: $name $out"
			fact "$name $option ${value[*]} is taken" exits 0
			fact "$name $option ${value[*]} takes no more" says "Usage: $name "
		done
	done
	run "$BCCTOOL" "$name" --help
	fact "arguments of $name: ${usage[*]}" test \
		"$(sed -nE '1s/^.*\[OPTION\.\.\.\]( --type FS)? ?//p' "$scratch/out")" = "${usage[*]}"
}

lines=0
while IFS=': ' read -r name words; do
	[[ $name != \#* ]] || continue
	lines=$((lines + 1))
	set -f
	check_options "$name" $words
	set +f
done <test/cli/options.txt
fact 'the table has lines' test $lines -gt 90

run "$BCCTOOL" opensnoop --ebpf
fact '--ebpf is wrong usage' exits 2
fact '--ebpf: why, and what to do' complains 'no C source at run time, programs were compiled with bcctool: --verbose'
finish
