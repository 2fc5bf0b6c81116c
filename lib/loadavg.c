#include <stdlib.h>

#include "clock.h"
#include "loadavg.h"
#include "out.h"
#include "util.h"

void loadavg_line(void)
{
	char *load = out_mode == OUT_TEXT ? read_file("/proc/loadavg", 4096, NULL) : NULL;

	if (!load)
		return;
	clock_hms(&out, clock_mono());
	buf_fmt(&out, " loadavg: %s", load);
	free(load);
}
