/*
 * Values that statements put into a record (lib/expr/expr.h), read back from it. The record begins
 * with the faults of its values, a u64.
 */
#ifndef PROBE_RECORDED_H
#define PROBE_RECORDED_H

#include "buf.h"
#include "expr/expr.h"

u64 recorded_faults(const char *record);
bool recorded_is_fault(const char *record, const struct expr_value *v);

/* Sign-extended, if it is signed; not of strings. */
u64 recorded_number(const char *record, const struct expr_value *v);

/* As qsort() wants it; strings by strcmp(). */
int recorded_compare(const char *a, const char *b, const struct expr_value *v);

/* "(fault)", or null, where it is not known. */
void recorded_text(struct buf *b, const char *record, const struct expr_value *v);
void recorded_json(struct buf *b, const char *record, const struct expr_value *v);

#endif
