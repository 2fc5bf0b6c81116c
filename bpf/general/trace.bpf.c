/* The programs of trace are made from what the user writes; here is the buffer that they fill. */
#include "bcctool.bpf.h"

EVENTS;
