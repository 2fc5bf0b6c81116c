/*
 * Any text as the name of a probe, and what follows: no fault, parts and ends within the text.
 */
#include <stdlib.h>
#include <string.h>

#include "probe/parts.h"
#include "probe/spec.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static void check_part(const struct expr_source *part, const char *text)
{
	if (part->text &&
	    (part->text != text || part->start > part->end || part->end > strlen(text)))
		__builtin_trap();
}

static void check_parts(const char *text, u32 at)
{
	struct expr_error err;
	struct parts p;

	if (!parts_parse(&p, text, at, &err)) {
		if (err.pos > strlen(text) || !*err.text)
			__builtin_trap();
		return;
	}
	for (int i = 0; i < p.nvalues; i++) {
		check_part(&p.types[i], text);
		check_part(&p.values[i], text);
	}
	check_part(&p.filter, text);
	check_part(&p.label, text);
}

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
		check_parts(text, s.end);
		spec_free(&s);
	}
	free(text);
	return 0;
}
