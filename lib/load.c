#include <stdlib.h>

#include "clock.h"
#include "load.h"
#include "out.h"
#include "util.h"

void report_load(struct run *run)
{
	char *load;

	(void)run;
	if (out_mode != OUT_TEXT)
		return;
	buf_chr(&out, '\n');
	load = read_file("/proc/loadavg", 4096, NULL);
	if (!load)
		return;
	clock_hms(&out, clock_mono());
	buf_fmt(&out, " loadavg: %s\n", load);
	free(load);
}
