/*
 * What argdist's specifiers say after the probe: :TYPES:EXPRESSIONS:CONDITION#LABEL, of which each
 * may be missing. Types and expressions are lists, with commas, of the same length. What ends a
 * part does not do so in quotes and brackets, nor does the colon of ?:.
 */
#ifndef PROBE_PARTS_H
#define PROBE_PARTS_H

#include "expr/expr.h"

#define PARTS_VALUES 16

/* Without blanks around them; what is missing is empty. */
struct parts {
	struct expr_source types[PARTS_VALUES], values[PARTS_VALUES];
	int nvalues;
	struct expr_source filter, label;
};

/* Reads `text` from `at` to its end. False with *err, where something is missing or too much. */
bool parts_parse(struct parts *p, const char *text, u32 at, struct expr_error *err);

bool part_is_empty(struct expr_source part);

#endif
