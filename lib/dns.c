#include <stdio.h>
#include <string.h>

#include "dns.h"
#include "util.h"

#define HEADER  12
#define BUCKETS 1280
#define WAYS    8
#define FORGET  (86400 * 1000000000ull)

enum { TYPE_A = 1, TYPE_AAAA = 28, CLASS_IN = 1 };

static unsigned be16(const u8 *p)
{
	return p[0] << 8 | p[1];
}

/*
 * The end of the name that begins at `at`, 0 if it is broken. The name is written to `name` if that
 * is given: it is the question's, before which there is nothing to point to. So no pointer is ever
 * followed, nor is there a way round in circles.
 */
static size_t read_name(const u8 *packet, size_t size, size_t at, char *name)
{
	size_t len = 0, total = 0;

	while (at < size && packet[at]) {
		unsigned n = packet[at];

		if (n >= 0xc0)
			return name || at + 2 > size ? 0 : at + 2;
		total += n + 1;
		if (n > 63 || at + 1 + n > size || total >= DNS_NAME_MAX)
			return 0;
		if (name) {
			if (len)
				name[len++] = '.';
			memcpy(name + len, packet + at + 1, n);
			len += n;
		}
		at += n + 1;
	}
	if (at >= size)
		return 0;
	if (name)
		name[len] = '\0';
	return at + 1;
}

/* An address, as in flow.h: one of IPv4 is mapped into IPv6. */
static bool read_address(unsigned type, const u8 *data, unsigned len, u8 addr[16])
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	if (type == TYPE_AAAA && len == 16) {
		memcpy(addr, data, 16);
		return true;
	}
	if (type != TYPE_A || len != 4)
		return false;
	memcpy(addr, mapped, 12);
	memcpy(addr + 12, data, 4);
	return true;
}

int dns_parse(const u8 *packet, size_t size, char name[DNS_NAME_MAX],
	      void (*each)(const u8 addr[16], const char *name, void *ctx), void *ctx)
{
	unsigned answers;
	int found = 0;
	size_t at;

	name[0] = '\0';
	if (size < HEADER || (packet[2] & 0xf8) != 0x80) /* an answer to a standard query */
		return 0;
	answers = be16(packet + 6);
	if (be16(packet + 4) != 1)
		return 0;
	at = read_name(packet, size, HEADER, name);
	if (!at)
		name[0] = '\0';
	if (!at || at + 4 > size)
		return 0;
	at += 4;
	while (answers--) {
		unsigned type, class, len;
		u8 addr[16];

		at = read_name(packet, size, at, NULL);
		if (!at || at + 10 > size)
			break;
		type = be16(packet + at);
		class = be16(packet + at + 2);
		len = be16(packet + at + 8);
		at += 10;
		if (len > size - at)
			break;
		if (class == CLASS_IN && read_address(type, packet + at, len, addr)) {
			each(addr, name, ctx);
			found++;
		}
		at += len;
	}
	return found;
}

struct entry {
	u64 time;
	u8 addr[16];
	char name[DNS_NAME_MAX];
};

static struct entry (*cache)[WAYS];

static struct entry *bucket(const u8 addr[16])
{
	u32 hash = 2166136261u;

	for (int i = 0; i < 16; i++)
		hash = (hash ^ addr[i]) * 16777619u;
	if (!cache)
		cache = xcalloc(BUCKETS, sizeof(*cache));
	return cache[hash % BUCKETS];
}

void dns_remember(const u8 addr[16], const char *name, u64 now)
{
	struct entry *e = bucket(addr), *to = e;

	for (int i = 0; i < WAYS; i++) {
		if (e[i].time && !memcmp(e[i].addr, addr, 16)) {
			to = &e[i];
			break;
		}
		if (e[i].time < to->time)
			to = &e[i];
	}
	to->time = now;
	memcpy(to->addr, addr, 16);
	snprintf(to->name, sizeof(to->name), "%s", name);
}

const char *dns_recall(const u8 addr[16], u64 now, u64 *age)
{
	struct entry *e = bucket(addr);

	for (int i = 0; i < WAYS; i++) {
		if (!e[i].time || memcmp(e[i].addr, addr, 16))
			continue;
		*age = now > e[i].time ? now - e[i].time : 0;
		return *age < FORGET ? e[i].name : NULL;
	}
	return NULL;
}
