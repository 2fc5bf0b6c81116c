# For the scripts beside it: facts are checked one by one, a failed one is a line, and the script goes
# on. Sourced with BCCTOOL set to the program.
set -u
: "${BCCTOOL:?is not set}"
facts=0 failures=0
scratch=$(mktemp -d)
trap 'rm -rf "$scratch"' EXIT

fail() {
	failures=$((failures + 1))
	echo "FAILED: $*"
}

# fact WHAT COMMAND...: COMMAND must succeed.
fact() {
	local what=$1
	shift
	facts=$((facts + 1))
	"$@" || fail "$what"
}

# run COMMAND...: its standard output, standard error and exit code, in $out, $err and $code.
run() {
	"$@" >"$scratch/out" 2>"$scratch/err" </dev/null
	code=$?
	out=$(<"$scratch/out")
	err=$(<"$scratch/err")
}

exits() { [[ $code == "$1" ]] || { echo "  exit $code, not $1; stderr: $err"; false; }; }
says() { [[ $out == *"$1"* ]] || { echo "  stdout: ${out:0:300}"; false; }; }
complains() { [[ $err == *"$1"* ]] || { echo "  stderr: ${err:0:300}"; false; }; }
silent() { [[ -z $out && -z $err ]] || { echo "  said: ${out:0:200} ${err:0:200}"; false; }; }

finish() {
	echo "$facts facts, $failures failed"
	exit $((failures > 0))
}
