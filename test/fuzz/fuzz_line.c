/* Any bytes as a table of lines, and its second half as its strings. */
#include <string.h>

#include "elfline.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	u64 half = size / 2;
	struct elfline *l;
	u32 line;

	if (elfline_load_mem(&l, data, size, data + half, size - half, data + half, size - half))
		return 0;
	for (u64 addr = 1; addr; addr *= 2) {
		const char *file = elfline_find(l, addr, &line);

		if (file && strlen(file) > 256)
			__builtin_trap();
	}
	if (elfline_memory(l) > size * 600 + 65536)
		__builtin_trap();
	elfline_free(l);
	return 0;
}
