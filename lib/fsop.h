/* Operations on files, as a file system's own functions do them. */
#ifndef FSOP_H
#define FSOP_H

#include "types.h"

enum fsop_kind { FSOP_READ, FSOP_WRITE, FSOP_OPEN, FSOP_FSYNC, FSOP_GETATTR, FSOP_COMMIT };

#endif
