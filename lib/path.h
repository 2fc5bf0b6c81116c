/* The name of a file in an event: bpf/lib/path.bpf.h fills it in. */
#ifndef PATH_H
#define PATH_H

#include "types.h"

#define PATH_NAMES 4096 /* bytes of names, the last of which may begin anywhere in them */
#define PATH_NAME  256  /* NAME_MAX and its NUL */

/* The last member of its event, which is sent as long as it is. */
struct bcc_path {
	u32 len;   /* of `file`, with its NUL; 0: unreadable */
	bool full; /* `file` is the names up to the root, the nearest first, each ended by NUL */
	u8 unused[3];
	char file[PATH_NAMES + PATH_NAME];
};

/* The bytes of an event that are filled. */
#define PATH_EVENT_SIZE(event) offsetof(typeof(event), path.file) + (event).path.len

#ifndef __bpf__
#include <stddef.h>

/*
 * Writes a path of which the names come nearest first, as `len` bytes, each ended by NUL. `to` has
 * room for len + 1 bytes. Returns its size with the NUL.
 */
size_t path_join(char *to, const char *names, size_t len);

/* In place; *size, of the whole event, follows. */
void path_event(struct bcc_path *path, size_t *size);
#endif

#endif
