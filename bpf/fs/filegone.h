#ifndef FILEGONE_H
#define FILEGONE_H

#include "path.h"
#include "task.h"

enum filegone_action { FILE_DELETE, FILE_RENAME };

struct filegone_event {
	struct bcc_task task;
	u32 action; /* enum filegone_action */
	bool folder;
	u8 unused[3];
	char file[PATH_NAME];
	char new_name[PATH_NAME]; /* of FILE_RENAME */
};

#endif
