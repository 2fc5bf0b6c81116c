/* Any text as a perf map: names that end, and are found only where a row says. */
#include <string.h>

#include "perfmap.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct perfmap *pm;
	u64 offset, addr = 0;

	if (perfmap_load_mem(&pm, (const char *)data, size))
		return 0;
	for (int i = 0; i < 256; i++, addr = addr * 3 + i) {
		const char *name = perfmap_find(pm, addr, &offset);

		if (name && (strlen(name) > 1024 || offset > addr))
			__builtin_trap();
	}
	if (perfmap_memory(pm) > size * 64 + 65536)
		__builtin_trap();
	perfmap_free(pm);
	return 0;
}
