#include "applet.h"

void run_stacks(struct run *run)
{
	(void)run;
	die("not written yet");
}
