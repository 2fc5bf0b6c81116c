/* Any text as the kernel's counters, or as the format of a tracepoint. */
#include <stdlib.h>
#include <string.h>

#include "dropreason.h"
#include "snmp.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char *text = malloc(size + 1), *names[DROPREASONS] = {};
	struct snmp s = {};

	memcpy(text, data, size);
	text[size] = '\0';
	snmp_parse(&s, text);
	if (s.n > size) /* each is a byte at least, and its separator */
		__builtin_trap();
	snmp_free(&s);
	if ((size_t)dropreasons_parse(text, names) > size)
		__builtin_trap();
	for (int i = 0; i < DROPREASONS; i++)
		free(names[i]);
	free(text);
	return 0;
}
