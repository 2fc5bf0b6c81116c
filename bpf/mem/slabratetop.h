#ifndef SLABRATETOP_H
#define SLABRATETOP_H

#include "types.h"

#define SLAB_NAME_LEN 32

struct slabratetop_key {
	char cache[SLAB_NAME_LEN];
};

struct slabratetop_value {
	u64 allocs, bytes;
};

struct slabratetop_row {
	struct slabratetop_key key;
	struct slabratetop_value value;
};

#endif
