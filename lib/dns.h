/* Answers of name servers (RFC 1035), as anybody may have sent them, and a memory of what they
 * said. */
#ifndef DNS_H
#define DNS_H

#include <stddef.h>

#include "types.h"

#define DNS_NAME_MAX 256 /* with its NUL */

/*
 * Reads an answer to one question: the name asked for, without the last dot, and each address that
 * was given for it, as in flow.h. How many; 0 if there is none or this is not an answer. What a
 * packet cut short still has counts.
 */
int dns_parse(const u8 *packet, size_t size, char name[DNS_NAME_MAX],
	      void (*each)(const u8 addr[16], const char *name, void *ctx), void *ctx);

/* Times are CLOCK_MONOTONIC. Old names make room for new ones, and are forgotten after a day. */
void dns_remember(const u8 addr[16], const char *name, u64 now);
const char *dns_recall(const u8 addr[16], u64 now, u64 *age); /* NULL: not known */

#endif
