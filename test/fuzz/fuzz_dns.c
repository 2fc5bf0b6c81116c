/* Any bytes as a name server's answer: names have an end, and addresses take their room. */
#include <stdlib.h>
#include <string.h>

#include "dns.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

struct found {
	const char *name;
	size_t n;
};

static void each(const u8 addr[16], const char *name, void *ctx)
{
	struct found *found = ctx;
	const char *known;
	u64 age;

	if (name != found->name || !memchr(name, '\0', DNS_NAME_MAX))
		__builtin_trap();
	found->n++;
	dns_remember(addr, name, 1);
	known = dns_recall(addr, 3, &age);
	if (!known || strcmp(known, name) || age != 2)
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	char name[DNS_NAME_MAX];
	struct found found = { name, 0 };
	int n = dns_parse(data, size, name, each, &found);

	/* An address and its head are 15 bytes or more. */
	if (n < 0 || (size_t)n != found.n || found.n > size / 15)
		__builtin_trap();
	if (!memchr(name, '\0', sizeof(name)))
		__builtin_trap();
	return 0;
}
