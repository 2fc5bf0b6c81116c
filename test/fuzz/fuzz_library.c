/* Any bytes as the linker's cache, and as a library's name: what is found lies within it. */
#include <stdlib.h>
#include <string.h>

#include "library.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *cache = malloc(size + 1);
	const char *found;

	memcpy(cache, data, size);
	cache[size] = '\0';
	found = ldcache_find(cache, size, "c");
	if (found && (found <= cache || found + strlen(found) > cache + size))
		__builtin_trap();
	library_is_named((const char *)data, size, "c");
	library_is_named((const char *)data, size, cache);
	free(cache);
	return 0;
}
