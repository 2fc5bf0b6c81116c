/* What a program is told when a function is entered or left: see lib/probe/pair.h. */
#ifndef CALL_H
#define CALL_H

#include "types.h"

#define CALL_RETURN 1u /* it returns */
#define CALL_GO     2u /* it is one of a Go program; the return is probed at its instruction */
#define CALL_SHIFT  2  /* above these, the number of the function */

#define CALL_LEVELS 32 /* that -l can tell apart */

#endif
