#include <fcntl.h>
#include <unistd.h>

#include "insn.h"
#include "kcode.h"

/* A function that saves no registers before its loop is not longer than this. */
#define CODE 4096

#ifdef __x86_64__
#define MACHINE EM_X86_64
#else
#define MACHINE EM_AARCH64
#endif

void kcode_open(struct kcode *k)
{
	*k = (struct kcode){ .fd = open("/proc/kcore", O_RDONLY | O_CLOEXEC) };
	if (k->fd >= 0 && (elf_open(&k->core, k->fd) || elf_read_segments(&k->core))) {
		kcode_close(k);
		k->fd = -1;
	}
}

void kcode_close(struct kcode *k)
{
	if (k->fd < 0)
		return;
	elf_close(&k->core);
	close(k->fd);
}

/* push, or sub from %rsp: who jumps back to one would lose the stack. */
static bool saves(const u8 *code, size_t size)
{
	return size >= 4 &&
	       ((code[0] & 0xf8) == 0x50 || (code[0] == 0x41 && (code[1] & 0xf8) == 0x50) ||
		(code[0] == 0x48 && (code[1] & 0xfd) == 0x81 && code[2] == 0xec));
}

bool code_begins_loop(u16 machine, const u8 *code, size_t size)
{
	struct insn insn;

	if (machine == EM_X86_64 && saves(code, size))
		return false;
	for (size_t at = 0; at + INSN_MAX <= size; at += insn.length) {
		if (!insn_decode(machine, code + at, size - at, &insn))
			return true;
		if (insn.kind == INSN_JUMP && insn.target == -(s64)at)
			return true;
	}
	return false;
}

bool kcode_begins_loop(const struct kcode *k, u64 address)
{
	u8 code[CODE];
	u64 offset;

	return k->fd < 0 || !elf_offset_of(&k->core.loads, address, &offset) ||
	       elf_read(&k->core, offset, code, sizeof(code)) ||
	       code_begins_loop(MACHINE, code, sizeof(code));
}
