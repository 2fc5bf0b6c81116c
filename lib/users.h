/* Users by number, as /etc/passwd has them: a static program has no other way (NSS). */
#ifndef USERS_H
#define USERS_H

#include "buf.h"

/* The name, or the number if there is none. The file is read once. */
void user_name(struct buf *b, u32 uid);

#endif
