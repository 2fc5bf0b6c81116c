/* Any bytes as an ELF file with frame information, or as entries alone: no fault, all of it ends.
 */
#include <string.h>

#include "ehframe.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct memory {
	const u8 *data;
	size_t size;
};

static bool read_memory(void *ctx, u64 addr, u64 *value)
{
	const struct memory *m = ctx;

	if (m->size < 8 || addr > m->size - 8)
		return false;
	memcpy(value, m->data + addr, 8);
	return true;
}

static void use(const struct ehframe *e, struct memory *m, u64 addr)
{
	struct cfi_regs regs = { .known = ~0ull >> (64 - CFI_REGS) };
	struct cfi_row row;

	for (u32 i = 0; i < CFI_REGS; i++)
		regs.value[i] = i * 8;
	if (ehframe_find(e, addr, &row))
		return;
	if (row.ra >= CFI_REGS)
		__builtin_trap();
	cfi_step(e->machine, &row, &regs, read_memory, m);
}

/* One function from address 0 on, whose entry is where the first two bytes say. */
static void entries(const u8 *data, size_t size)
{
	s32 hdr[5] = { 0, 0, 0, -0x1000, 0 };
	struct memory m = { data, size };
	struct ehframe e = { .machine = cfi_machine(data[2] & 1 ? EM_X86_64 : EM_AARCH64),
			     .hdr = (u8 *)hdr,
			     .hdr_addr = 0x1000,
			     .frames = (u8 *)data + 3,
			     .size = size - 3,
			     .addr = 0x1000,
			     .count = 1 };

	hdr[4] = data[0] | data[1] << 8;
	for (u64 addr = 0; addr < 64; addr += 3)
		use(&e, &m, addr);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct memory m = { data, size };
	struct elf_file f;
	struct ehframe e;

	if (size > 3)
		entries(data, size);
	if (elf_open_mem(&f, data, size))
		return 0;
	elf_read_sections(&f);
	if (!elf_read_segments(&f) && !ehframe_load(&e, &f)) {
		for (u32 i = 0; i < e.count && i < 64; i++) {
			s32 start;

			memcpy(&start, e.hdr + 12 + i * 8, sizeof(start));
			use(&e, &m, e.hdr_addr + start + data[i % size]);
		}
		ehframe_free(&e);
	}
	elf_close(&f);
	return 0;
}
