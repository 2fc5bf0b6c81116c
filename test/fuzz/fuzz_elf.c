/* Any bytes as an ELF file: no fault, no name without an end, memory as the file's size. */
#include <string.h>

#include "elffunc.h"
#include "elfsym.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct elfsym *e;
	u64 addr, offset;
	u32 len;

	if (elfsym_load_mem(&e, data, size))
		return 0;
	elfsym_build_id(e, &len);
	for (u64 at = 0; at < size; at += size / 64 + 1) {
		const char *name = NULL;

		if (elfsym_address(e, at, &addr))
			name = elfsym_find(e, addr, &offset);
		if (name && strlen(name) > ELFFUNC_MAX_NAME)
			__builtin_trap();
	}
	if (elfsym_memory(e) > size * 16 + 65536)
		__builtin_trap();
	elfsym_free(e);
	return 0;
}
