/* What can go missing, and who counts it: bpf/lib counts, lib/loss.c reports. */
#ifndef LOSS_H
#define LOSS_H

#include "types.h"

enum bcc_loss {
	LOST_EVENT,  /* the buffer to user space was full */
	LOST_START,  /* the map of calls in flight was full: their ends find no beginning */
	LOST_RETURN, /* a call whose return was not seen: begin_call() */
	LOST_KEY,    /* the map of results was full */
	LOST_STACK,  /* no stack, or no room for it */
	LOST_CLOCK,  /* an end before its beginning: clocks of two CPUs */
	LOST_TEXT,   /* a string cut short or unreadable */
	LOST_PROBE,  /* a program not run since it was running already; filled by lib/loss.c */
	LOST_KINDS,
};

#endif
