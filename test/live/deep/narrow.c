// work-32: a program of 32 bits without a library. Waits for a line, sleeps ten times, and
// waits for the end of its input.
struct timespec32 {
	int seconds, nanoseconds;
};

static int call(int number, int a, const void *b, int c)
{
	int result;

	__asm__ volatile("int $0x80"
			 : "=a"(result)
			 : "a"(number), "b"(a), "c"(b), "d"(c)
			 : "memory");
	return result;
}

static volatile int keep;

__attribute__((noinline, noipa)) int narrow_leaf(const struct timespec32 *t)
{
	return call(162, (int)t, 0, 0) + keep++;
}

__attribute__((noinline, noipa)) int narrow_top(const struct timespec32 *t)
{
	return narrow_leaf(t) + keep++;
}

int narrow_main(void)
{
	const struct timespec32 t = { 0, 2000000 };
	char line[16];

	call(4, 1, "pid 0\n", 6);
	call(3, 0, line, sizeof(line));
	for (int i = 0; i < 10; i++)
		narrow_top(&t);
	call(4, 1, "done\n", 5);
	call(3, 0, line, sizeof(line));
	return call(1, 0, 0, 0);
}

// As the C library's: no frame is above.
__asm__(".globl _start; .type _start, @function; _start: xor %ebp, %ebp; call narrow_main; hlt; "
	".size _start, . - _start");
