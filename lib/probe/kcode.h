/*
 * The running kernel's code, by /proc/kcore (an ELF core file, proc(5)): to tell whether a probe
 * behind a function's entry counts its calls.
 */
#ifndef PROBE_KCODE_H
#define PROBE_KCODE_H

#include "elffile.h"

struct kcode {
	struct elf_file core;
	int fd;
};

/* Without CAP_SYS_RAWIO, or in lockdown, there is none: kcode_begins_loop() then says yes. */
void kcode_open(struct kcode *k);
void kcode_close(struct kcode *k);

/* Whether the function's code jumps back to this address near its entry, or that cannot be told. */
bool kcode_begins_loop(const struct kcode *k, u64 address);

/* The same of code that is in memory, from the address on. */
bool code_begins_loop(u16 machine, const u8 *code, size_t size);

#endif
