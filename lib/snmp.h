/*
 * The network stack's own counters, and what they gained since. Source: /proc/net/snmp and
 * /proc/net/netstat, pairs of lines "Ip: NAME NAME ..." and "Ip: 1 2 ..."; /proc/net/snmp6, lines
 * of "NAME 1".
 */
#ifndef SNMP_H
#define SNMP_H

#include "buf.h"

struct snmp_counter {
	char *name; /* "IpInReceives", as nstat(8) calls it */
	u64 value;
};

struct snmp {
	struct snmp_counter *at;
	size_t n;
};

/* Adds the counters of a text in one of the forms above; what is malformed is left out. */
void snmp_parse(struct snmp *s, const char *text);

void snmp_read(struct snmp *s); /* all of them as they are now; what cannot be read is not there */
void snmp_free(struct snmp *s);

/* What is more than before, as nstat(8) writes it: name, difference, and a rate of `ns`. */
void snmp_text(struct buf *b, const struct snmp *before, const struct snmp *now, u64 ns);

#endif
