#ifndef DCSTAT_H
#define DCSTAT_H

enum dcstat_count { DC_REFS, DC_SLOW, DC_MISS, DC_COUNTS };

#endif
