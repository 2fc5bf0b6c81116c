/* Any name: no fault, no end of time or memory, and nothing of what could not be read. */
#include <string.h>

#include "demangle.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct buf b = {};
	char name[8192];

	if (!size || size > sizeof(name) - 2)
		return 0;
	memcpy(name, data[0] & 1 ? "_Z" : "_R", 2);
	memcpy(name + 2, data + 1, size - 1);
	name[size + 1] = '\0';
	if (demangle(&b, name) ? b.len > 2 * sizeof(name) : b.len)
		__builtin_trap();
	buf_free(&b);
	return 0;
}
