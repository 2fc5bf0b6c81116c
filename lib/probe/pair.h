/* Functions whose calls are followed from entry to return: both are sites, told apart by call.h. */
#ifndef PROBE_PAIR_H
#define PROBE_PAIR_H

#include "call.h"
#include "resolve.h"

/*
 * Adds entry and return of the functions that `spec` means, as sites_add() does. -EINVAL if it
 * means anything else.
 */
int pairs_add(struct sites *s, const struct spec *spec, u32 pid, struct spec_error *err);

/*
 * When all are added: leaves out those that have only one of the two, gives sites the numbers of
 * call.h, and puts the returns first, so that no call is seen to begin whose return is not probed.
 * The entries come last: of function f it is at[n - functions + f]. The number of functions, or
 * -ENOMEM.
 */
int pairs_number(struct sites *s);

/* What is wrong with a spec for this purpose, before anything is resolved: 0 or -EINVAL. */
int pairs_check(const struct spec *spec, struct spec_error *err);

#endif
