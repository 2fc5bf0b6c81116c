/* Signals by name and number. */
#ifndef SIGNAME_H
#define SIGNAME_H

#include "buf.h"

#define SIGNAL_MAX 64 /* _NSIG: SIGRTMAX */

/* KILL, RTMIN+3; the number where there is no name. */
void buf_signal(struct buf *b, int number);

/* The number of "9", "KILL" or "SIGKILL"; -1 if there is none. */
int signal_number(const char *name);

#endif
