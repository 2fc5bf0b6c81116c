// A system call without libc, whose functions have no frame pointers: the caller's frame is the
// innermost one.
#ifndef CALL_H
#define CALL_H

#include <unistd.h>

static inline __attribute__((always_inline)) long bare_call(long number, long a, long b, long c,
							    long d)
{
#ifdef __x86_64__
	register long fourth __asm__("r10") = d;

	__asm__ volatile("syscall"
			 : "+a"(number)
			 : "D"(a), "S"(b), "d"(c), "r"(fourth)
			 : "rcx", "r11", "memory");
	return number;
#elif defined(__aarch64__)
	register long call __asm__("x8") = number;
	register long first __asm__("x0") = a;
	register long second __asm__("x1") = b;
	register long third __asm__("x2") = c;
	register long fourth __asm__("x3") = d;

	__asm__ volatile("svc #0"
			 : "+r"(first)
			 : "r"(call), "r"(second), "r"(third), "r"(fourth)
			 : "memory");
	return first;
#else
	return syscall(number, a, b, c, d);
#endif
}

#endif
