/* Any bytes as an ELF file: no fault, no name without an end, memory as the file's size. */
#include <stdlib.h>
#include <string.h>

#include "elffunc.h"
#include "elfsym.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static bool any(const char *name, void *arg)
{
	(void)arg;
	return strlen(name) <= ELFFUNC_MAX_NAME;
}

static void functions(const u8 *data, size_t size)
{
	const struct elffunc **found;
	struct elffunc_returns r;
	struct elf_file f;
	struct elffuncs fs;
	int n;

	if (!elf_open_mem(&f, data, size) && !elf_read_segments(&f) && !elffuncs_read(&fs, &f)) {
		n = elffuncs_match(&fs, any, NULL, &found);
		for (int i = 0; i < n && i < 64; i++) {
			if (!found[i]->size || elffunc_offset(&fs, found[i]) >= size)
				__builtin_trap();
			elffunc_check(&fs, found[i], found[i]->size / 2);
			if (!elffunc_returns(&fs, found[i], &r))
				free(r.at);
		}
		free(found);
		elffuncs_free(&fs);
		elf_is_go(&f);
	}
	elf_close(&f);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct elfsym *e;
	u64 addr, offset;
	u32 len;

	functions(data, size);
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
	if (elfsym_memory(e) > size * 64 + 65536)
		__builtin_trap();
	elfsym_free(e);
	return 0;
}
