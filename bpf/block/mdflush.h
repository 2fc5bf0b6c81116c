#ifndef MDFLUSH_H
#define MDFLUSH_H

#include "task.h"

struct mdflush_event {
	struct bcc_task task;
	char device[32];
};

#endif
