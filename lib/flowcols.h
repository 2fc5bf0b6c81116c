/* Options and columns of applets on connections. */
#ifndef FLOWCOLS_H
#define FLOWCOLS_H

#include "column.h"
#include "flow.h"
#include "opt.h"

/* `filter` is a struct flow_filter. */
#define OPT_FAMILIES(filter)                                                                       \
	OPT('4', "ipv4", NULL, &(filter).ipv4, "trace IPv4 only"),                                 \
		OPT('6', "ipv6", NULL, &(filter).ipv6, "trace IPv6 only")
#define OPT_LPORTS(l, name, filter)                                                                \
	OPT(l, name, "PORTS", &(filter).lports, "trace this local port only (a list: 80,443)",     \
	    .max = 65535)
#define OPT_RPORTS(l, name, filter)                                                                \
	OPT(l, name, "PORTS", &(filter).rports, "trace this remote port only (a list: 80,443)",    \
	    .max = 65535)
#define OPT_WIDE(l) OPT(l, "wide", NULL, &flow_wide, "make room for IPv6 addresses")
#define OPT_CSV(l)  OPT(l, "csv", NULL, &common.csv, "print comma-separated values")

extern bool flow_wide, flow_narrow;

/* For check(): refuses -4 with -6. */
void flow_check(const struct flow_filter *filter);

/* Two columns of an address for OPT_WIDE: only one is shown. */
#define COL_ADDRESS(field, head_, help_)                                                           \
	COL(field, head_, -15, help_, .as = AS_IP, .show = &flow_narrow),                          \
		COL(field, head_, -26, help_, .as = AS_IP, .show = &flow_wide, .no_data = true)

#endif
