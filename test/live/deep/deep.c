// A library whose functions sleep below each other; the innermost has a name for the linker only,
// one of C++ and one of Rust among them. Compiled with frame pointers and lines.
#include <sys/syscall.h>
#include <time.h>

#define FRAME __attribute__((noinline, noipa))

static volatile long keep; // what a function adds to after its calls, so that none is a tail call

long deep_outer(long us);
static long inner(long us) __asm__("_ZN4deep5innerEl");
static long oxide(long us) __asm__("_RNvCs1234_4deep5oxide");

FRAME static long inner(long us)
{
	struct timespec t = { us / 1000000, us % 1000000 * 1000 };
#ifdef __x86_64__
	long result = SYS_nanosleep;

	__asm__ volatile("syscall" : "+a"(result) : "D"(&t), "S"(0) : "rcx", "r11", "memory");
#else
	register long result __asm__("x8") = SYS_nanosleep;
	register long first __asm__("x0") = (long)&t;
	register long second __asm__("x1") = 0;

	__asm__ volatile("svc 0" : "+r"(first) : "r"(result), "r"(second) : "memory");
#endif
	return keep += result;
}

FRAME static long oxide(long us)
{
	return inner(us) + keep++; // line of the call
}

FRAME long deep_outer(long us)
{
	return oxide(us) + keep++;
}
