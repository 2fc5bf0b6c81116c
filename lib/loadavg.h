/* The line that opens a report of the top-like applets: "08:05:11 loadavg: 0.00 0.01 0.05 1/91 4".
 */
#ifndef LOADAVG_H
#define LOADAVG_H

void loadavg_line(void); /* to `out`, in text; nothing if /proc does not tell */

#endif
