#ifndef BASHREADLINE_H
#define BASHREADLINE_H

#include "task.h"

#define BASHREADLINE_MAX 4096 /* bytes of a line that are kept, its NUL included */

struct bashreadline_event {
	struct bcc_task task;
	char command[BASHREADLINE_MAX];
};

#endif
