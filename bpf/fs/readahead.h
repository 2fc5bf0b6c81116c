#ifndef READAHEAD_H
#define READAHEAD_H

#include "hist.h"

struct readahead_value {
	struct bcc_hist hist; /* ages at the first use, a count a page */
	u64 pages, unused;
};

struct readahead_row {
	u32 key, padding;
	struct readahead_value value;
};

#endif
