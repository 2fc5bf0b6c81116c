#ifndef BITESIZE_H
#define BITESIZE_H

#include "disk.h"
#include "hist.h"

struct bitesize_conf {
	struct bcc_disk disk;
};

struct bitesize_key {
	char comm[COMM_LEN];
};

struct bitesize_row {
	struct bitesize_key key;
	struct bcc_hist hist; /* of kilobytes */
};

#endif
