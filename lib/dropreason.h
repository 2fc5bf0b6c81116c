/*
 * Why the network stack drops a packet: the names of the kernel's enum skb_drop_reason, whose
 * numbers differ from version to version. Source: events/skb/kfree_skb/format in tracefs, since
 * 5.17: ... __print_symbolic(REC->reason, { 2, "NO_SOCKET" }, ...).
 */
#ifndef DROPREASON_H
#define DROPREASON_H

#include "buf.h"

#define DROPREASONS 512

/* Fills names[number], which the caller frees, from the text of a format. How many were found. */
int dropreasons_parse(const char *text, char *names[DROPREASONS]);

/* The name; the number, in hex, if there is none: of a subsystem's own, or before 5.17. */
void dropreason_name(struct buf *b, u32 reason);

#endif
