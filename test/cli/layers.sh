#!/bin/bash
# Which files may include which: lower layers know nothing of higher ones. Needs no program.
# shellcheck disable=SC1091,SC2154,SC2086,SC2012
. test/cli/common.bash

# includes FILE...: "FILE HEADER" for each #include "HEADER".
includes() { awk '/^#include "/ { split($0, a, "\""); print FILENAME, a[2] }' "$@"; }

# never WHAT FILES HEADERS: no file that matches the first glob includes one of the (regex) headers.
never() {
	local found

	found=$(includes $2 | awk -v headers="^($3)\$" '$2 ~ headers')
	fact "$1" test -z "$found"
	[[ -z $found ]] || echo "$found"
}

# Headers of applets, as a regex: those in the folders of the layers, or with an argument all but one's.
applet_headers() {
	find bpf -mindepth 2 -name '*.h' -not -path 'bpf/lib/*' -not -path "bpf/${1:-/}/*" -printf '%f\n' |
		paste -sd'|' | sed 's/\./[.]/g'
}

bottom='lib/buf.[ch] lib/out.[ch] lib/util.[ch] lib/clock.[ch] lib/column.[ch] lib/types.h'
above='run|applet|opt|candidate|object|check|loss|report|ring|rows|stat|filter|cgroup|kernel'

never 'the bottom of the library knows no runs and no applets' "$bottom" "($above)[.]h"
never 'the library knows no applet' 'lib/*.[ch]' ".*cmd/.*|$(applet_headers)"
never 'no module goes through another folder' 'lib/*.[ch] cmd/*.c cmd/*/*.c' '[.][.]/.*'
never 'headers shared with BPF know no user side' 'lib/types.h lib/task.h lib/filter.h lib/flow.h lib/hist.h lib/loss.h' \
	'(buf|util|out|column|opt|run|applet)[.]h'
never 'options, control groups and columns know no engine' \
	'lib/column.[ch] lib/cgroup.[ch] lib/opt.h lib/filter.h' '(run|applet|ring|report|object)[.]h'
fact 'no C file is included' test -z "$(includes lib/*.[ch] cmd/*.c cmd/*/*.c | grep -E '[.]c$')"

# Clocks of two CPUs may differ: a difference of times is between()'s to take.
fact 'no BPF program subtracts times itself' test -z \
	"$(grep -rnE '(now|ktime_get_ns\(\)|task\.time) - ' bpf --include='*.c' --include='*.h')"

# One applet's file does not use another's header: its own, those of its family, and the library's.
for dir in cmd/*/; do
	layer=$(basename "$dir")
	never "applets of $layer use headers of their own layer" "$dir*.c" "$(applet_headers "$layer")"
done
finish
