/*
 * The systemd journal: entries of fields, KEY=value, by its native protocol.
 * Source: systemd.io/JOURNAL_NATIVE_PROTOCOL, systemd.journal-fields(7).
 */
#ifndef JOURNAL_H
#define JOURNAL_H

#include "buf.h"

/* A descriptor for journal_send(), or -errno. */
int journal_open(void);

/* Appends a field; a value of more than a line is kept as it is. */
void journal_field(struct buf *entry, const char *key, const char *value, size_t len);

/* Hands an entry over. 0 or -errno. */
int journal_send(int fd, const struct buf *entry);

#endif
