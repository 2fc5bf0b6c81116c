/* Any bytes as an ELF file with USDT notes, and as an operand: no fault, all strings end. */
#include <elf.h>
#include <string.h>

#include "usdt.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void operand(const u8 *data, size_t size)
{
	static const u16 machines[] = { EM_X86_64, EM_AARCH64, EM_386 };
	const char *why = NULL;
	struct buf b = {};
	struct operand o;

	for (int i = 0; i < 3; i++)
		if (!operand_parse(&o, machines[i], (const char *)data, size, &why)) {
			if (!why)
				__builtin_trap();
		} else {
			if (!o.size || o.size > 8 || o.base < -1 || o.base > 256 || o.index > 256)
				__builtin_trap();
			operand_text(&b, &o, machines[i]);
		}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct usdt u;

	if (size < 64)
		operand(data, size);
	if (usdt_load_mem(&u, data, size))
		return 0;
	for (u32 i = 0; i < u.n; i++) {
		const struct usdt_site *s = &u.sites[i];
		const char *args = s->args, *arg, *why;
		struct operand o;
		size_t len;

		if (strlen(s->provider) + strlen(s->name) + strlen(s->args) > size)
			__builtin_trap();
		while (usdt_arg(&args, &arg, &len))
			if (usdt_operand(&u, s, arg, len, &o, &why) && o.symbol)
				__builtin_trap();
	}
	usdt_free(&u);
	return 0;
}
