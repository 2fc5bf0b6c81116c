/*
 * Standard output: text on a terminal or in a file, JSON Lines or CSV. All that
 * applets print goes through one buffer, so that a full disk, a closed pipe and
 * a signal are dealt with in one place.
 */
#ifndef OUT_H
#define OUT_H

#include "buf.h"

enum out_mode { OUT_TEXT, OUT_JSON, OUT_CSV };

extern enum out_mode out_mode;
extern struct buf out; /* write here, then out_flush() */

/* Writes what is there. A closed pipe exits 0, any other error exits 1 with a line that names it.
 */
void out_flush(void);

/* out_flush() once a good deal has been gathered; for use after each row. */
void out_row(void);

bool out_is_terminal(void);

#endif
