#ifndef SMPCALLS_H
#define SMPCALLS_H

#include "hist.h"

struct smpcalls_row {
	u64 function; /* that other CPUs are to call; of reschedules, that which asks for them */
	struct bcc_hist hist;
};

#endif
