#include <stdlib.h>
#include <string.h>

#include "snmp.h"
#include "util.h"

static void add(struct snmp *s, char *name, u64 value)
{
	if (!(s->n & (s->n + 1))) /* full at 0, 1, 3, 7 ...: twice as many, and one */
		s->at = xrealloc(s->at, (2 * s->n + 2) * sizeof(*s->at));
	s->at[s->n++] = (struct snmp_counter){ name, value };
}

/* The next word of the line, and *p behind it. */
static const char *word(const char **p, size_t *len)
{
	const char *w = *p + strspn(*p, " \t");

	*len = strcspn(w, " \t\n");
	*p = w + *len;
	return *len ? w : NULL;
}

/* "Ip: A B\nIp: 1 2\n": where the pair ends, or NULL if this is none. */
static const char *pair(struct snmp *s, const char *heads)
{
	const char *values = strchr(heads, '\n'), *name, *value;
	size_t group = strcspn(heads, ":\n"), name_len, value_len;

	if (heads[group] != ':' || !values || strncmp(heads, ++values, group + 1))
		return NULL;
	name = heads + group + 1;
	value = values + group + 1;
	for (;;) {
		const char *n = word(&name, &name_len), *v = word(&value, &value_len);

		if (!n || !v)
			break;
		add(s, xasprintf("%.*s%.*s", (int)group, heads, (int)name_len, n),
		    strtoull(v, NULL, 10));
	}
	return value + strcspn(value, "\n");
}

void snmp_parse(struct snmp *s, const char *text)
{
	while (*text) {
		const char *end = pair(s, text), *p = text, *name, *value;
		size_t name_len, value_len;

		if (!end) {
			name = word(&p, &name_len);
			value = word(&p, &value_len);
			if (name && value && *value >= '0' && *value <= '9')
				add(s, xasprintf("%.*s", (int)name_len, name),
				    strtoull(value, NULL, 10));
			end = p + strcspn(p, "\n");
		}
		text = end + (*end == '\n');
	}
}

void snmp_read(struct snmp *s)
{
	static const char *const files[] = { "/proc/net/snmp", "/proc/net/netstat",
					     "/proc/net/snmp6" };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++) {
		char *text = read_file(files[i], 1 << 20, NULL);

		if (text)
			snmp_parse(s, text);
		free(text);
	}
}

void snmp_free(struct snmp *s)
{
	for (size_t i = 0; i < s->n; i++)
		free(s->at[i].name);
	free(s->at);
	*s = (struct snmp){};
}

/* By name: lines come and go with what was counted, so that places differ. */
static u64 value_before(const struct snmp *before, const char *name)
{
	for (size_t i = 0; i < before->n; i++)
		if (!strcmp(before->at[i].name, name))
			return before->at[i].value;
	return 0;
}

void snmp_text(struct buf *b, const struct snmp *before, const struct snmp *now, u64 ns)
{
	for (size_t i = 0; i < now->n; i++) {
		const struct snmp_counter *c = &now->at[i];
		u64 was = value_before(before, c->name);

		if (c->value > was)
			buf_fmt(b, "%-31s %-18llu %.1f\n", c->name, c->value - was,
				ns ? 1e9 * (c->value - was) / ns : 0);
	}
}
