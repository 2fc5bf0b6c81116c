/* What engines say around their rows. */
#ifndef REPORT_H
#define REPORT_H

#include "run.h"

/* At the end: what was lost, a line a kind on stderr, and as the last record of JSON. */
void report_losses(struct run *run);

/*
 * Opens a report of an interval: in text an empty line and, with -T, the time. The applet's
 * report() replaces this.
 */
void report_begin(struct run *run);

#endif
