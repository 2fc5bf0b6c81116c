#ifndef COBJNEW_H
#define COBJNEW_H

#include "types.h"

struct cobjnew_value {
	u64 count, bytes;
};

struct cobjnew_row {
	u64 size; /* of a block */
	struct cobjnew_value value;
};

#endif
