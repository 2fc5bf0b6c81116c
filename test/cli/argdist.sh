#!/bin/bash
# argdist without privilege: specifiers are compiled, wrong ones refused with their place.
# shellcheck disable=SC1091,SC2016,SC2154
. test/cli/common.bash

# The program of a specifier, by --dump.
dump() { run "$BCCTOOL" argdist --dump "$@"; }

# wrong MESSAGE ABOUT SPECIFIER: refused, with a caret below the part that it is about.
wrong() {
	local message=$1 about=$2 text=$3 caret before

	dump -C "$text"
	fact "$text is refused" exits 2
	fact "$text: $message" complains "$message"
	caret=$(sed -n 3p "$scratch/err")
	before=${caret%%^*}
	fact "$text: the caret is below $about" test "${text:${#before}:${#about}}" = "$about"
	fact "$text: and marks all of it" test $((${#caret} - ${#before})) -eq ${#about}
	fact "$text: nothing on stdout" test -z "$out"
}

run "$BCCTOOL" argdist
fact 'argdist wants a specifier' exits 2
fact 'argdist says so' complains '-C or -H'
run "$BCCTOOL" argdist 'p:c:write()'
fact 'a specifier wants -C or -H' exits 2
run "$BCCTOOL" argdist -C 'p:c:write()' -H 'p:c:write():int:1' 'p:c:read()'
fact 'of which kind a further one is must be clear' complains 'repeat the option'

wrong 'the closing parenthesis of the signature is missing' '(' 'p:c:write(int fd'
wrong 'here a colon and a type, or # and a label, can follow' 'foo' 'p:c:write() foo'
wrong 'a type is followed by a value' 'u32' 'p:c:write():u32'
wrong 'there are 2 types for 1 values' 'int,int:fd' 'p:c:write(int fd):int,int:fd'
wrong 'something is missing here' ':' 'p:c:write(int fd):int,:fd'
wrong 'there is no such type' 'nosuch' 'p:c:write(int fd):nosuch:fd'
wrong "did you mean 'count'?" 'cuont' 'p:c:write(int fd, long count):long:cuont'
wrong "did you mean '\$latency'?" '$lantency' 'r:c:write():u32:$PID:$lantency > 100000'
wrong 'there is no return value but where a function returns' '$retval' 'p:c:write():int:$retval'
wrong 'there is no latency' '$latency' 'p:c:write():u64:$latency'
wrong 'nothing was saved at an entry' '$entry(fd)' 'p:c:write(int fd):int:$entry(fd)'
wrong "nothing here is called 'fdd'" 'fdd' 'r:c:write(int fd):int:$entry(fdd)'
wrong 'this is a number, not a pointer' 'fd' 'p:c:write(int fd):int:fd->x'
dump -H 'p:c:write(int a, int b):int,int:a,b'
fact 'a histogram is of one value' complains 'a histogram is of one value'
dump -H 'p:c:write()'
fact 'a histogram wants a value' complains 'a histogram needs a value'
dump -C 'p:c:no_such_function_there()'
fact 'a function that is not there is no wrong usage' exits 1

dump -C 'p:c:write(int fd):int:fd'
fact 'a specifier is compiled' exits 0
fact 'its program is printed' says 'write: '
fact 'it loads the parameter' says '*(u64 *)(r6 + '
fact 'it counts' says 'lock *(u64 *)(r0 + 0) += r1'
dump -C 'r:c:write(int fd):int,u64:$entry(fd),$latency'
fact 'a return with an entry is two programs' test "$(grep -c 'instructions$' <<<"$out")" -eq 2
dump -C 'r:c:write(int fd):int:$retval'
fact 'without it is one' test "$(grep -c 'instructions$' <<<"$out")" -eq 1
dump -C 'p:c:write(int fd, char *s):char*,int:s,fd > 2 ? fd : 2:STRCMP("a:b#c,d", s) && fd != (1, 2)#label'
fact 'the comma operator is none of ours' exits 2
dump -C 'p:c:write(int fd, char *s):char*,int:s,fd > 2 ? fd : 2:STRCMP("a:b#c,d", s)#a: label'
fact 'colons of ?: and in quotes do not end a part' exits 0
dump -C 'p:c:write(int (*call)(void), int fd):int:fd'
fact 'signatures may have parentheses' exits 0
dump -C 'p:c:write()' 'p:c:read()'
fact 'several follow one option' test "$(grep -c 'instructions$' <<<"$out")" -eq 2
dump -I linux/stat.h -C 'p:c:write(int fd):int:fd & S_IFMT'
fact 'a header gives constants' exits 0
dump -I no/such/header.h -C 'p:c:write(int fd):int:fd'
fact 'a header that is not there is told' complains 'no/such/header.h'
dump -p 1,2 -t 3 -C 'p:c:write()'
fact 'processes are chosen in the program' says 'if w0 =='

if [[ -r /sys/kernel/btf/vmlinux ]]; then
	dump -C 'p::tcp_sendmsg():u32:size'
	fact 'parameters come from the kernel' exits 0
	wrong "struct sock has no member 'sk_dprot'; did you mean 'sk_dport'?" 'sk_dprot' \
		'p::tcp_sendmsg():u16:sk->sk_dprot'
	wrong 'a number, a pointer or a string' 'file' 'p::vfs_read():struct file:file'
fi
finish
