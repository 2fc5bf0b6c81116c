/*
 * The first line of a report on a screen, as BCC has it: "20:31:40 loadavg: 0.50 0.41 ...", from
 * /proc/loadavg (proc(5)). For an applet's report(); nothing in JSON and CSV.
 */
#ifndef LOAD_H
#define LOAD_H

struct run;

void report_load(struct run *run);

#endif
