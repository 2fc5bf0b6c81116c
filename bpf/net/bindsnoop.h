#ifndef BINDSNOOP_H
#define BINDSNOOP_H

#include "flow.h"
#include "task.h"

struct bindsnoop_conf {
	struct bcc_ids ports;
	bool errors; /* -E */
	bool count;  /* --count */
};

enum {
	BIND_REUSEPORT = 1,
	BIND_REUSEADDR = 2,
	BIND_NO_PORT = 4,
	BIND_TRANSPARENT = 8,
	BIND_FREEBIND = 16
};

struct bindsnoop_key {
	u8 addr[16] __attribute__((aligned(4)));
	u32 port;
};

struct bindsnoop_event {
	struct bcc_task task;
	struct bindsnoop_key to;
	s32 ret;
	u32 protocol, device;
	u32 opts; /* BIND_* */
	u32 unused;
};

struct bindsnoop_row {
	struct bindsnoop_key to;
	u64 binds;
} __attribute__((packed));

#endif
