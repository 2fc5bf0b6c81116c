/*
 * --flamegraph and --pprof: rows of stacks, written at the end into files. A row's frames come one
 * by one, the root first, then picture_row() with what they weigh.
 */
#ifndef PICTURES_H
#define PICTURES_H

#include "stacks.h"

bool pictures_wanted(void);

/* Opens the files; dies. To be called before tracing, while capabilities allow to write anywhere.
 */
void pictures_open(void);

void picture_frame(void *unused, const struct frame *f);
void picture_row(u64 weight);

/* Writes them, and says so on stderr; dies. */
void pictures_write(const struct applet *a);

#endif
