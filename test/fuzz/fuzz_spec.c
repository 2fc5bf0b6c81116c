/* Any text as the name of a probe: no fault, parts and ends within the text. */
#include <stdlib.h>
#include <string.h>

#include "probe/spec.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text = malloc(size + 1);
	struct spec_error err;
	struct spec s;

	memcpy(text, data, size);
	text[size] = '\0';
	for (int regex = 0; regex < 2; regex++) {
		int ret = spec_parse(&s, text, regex, &err);

		if (ret && (err.at > strlen(text) || !*err.text))
			__builtin_trap();
		if (ret)
			continue;
		if (s.end > strlen(text) || !*s.name || s.name_at + strlen(s.name) > s.end ||
		    memcmp(text + s.name_at, s.name, strlen(s.name)))
			__builtin_trap();
		spec_free(&s);
	}
	free(text);
	return 0;
}
