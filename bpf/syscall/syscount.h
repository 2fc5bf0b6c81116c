#ifndef SYSCOUNT_H
#define SYSCOUNT_H

#include "types.h"

#define SYSCOUNT_UNKNOWN 512 /* all numbers from here on: anybody can make them up */
#define SYSCOUNT_CALLS   (SYSCOUNT_UNKNOWN + 1) /* and as many again of 32-bit programs */

struct syscount_conf {
	bool latency;    /* -L */
	bool by_process; /* -P */
	bool failures;   /* -x */
	bool one;        /* --syscall: one of these two */
	s32 number, number_32;
	s32 err; /* -e; 0: any */
};

struct syscount_key {
	s32 syscall; /* its number; -1 with -P. Of a counter: plus SYSCOUNT_CALLS if is_32 */
	u32 pid;     /* with -P */
	u32 is_32;   /* called as 32-bit programs do: the numbers are others */
};

struct syscount_total {
	u64 count, total_ns;
	char comm[COMM_LEN]; /* with -P */
};

struct syscount_row {
	struct syscount_key key;
	u32 unused;
	struct syscount_total total;
};

#endif
