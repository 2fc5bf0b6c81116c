#ifndef SSLSNIFF_H
#define SSLSNIFF_H

#include "task.h"

#define SSL_DATA_MAX  30720 /* what is kept on each CPU is limited to 32 KB */
#define SSL_FUNCTIONS 64

enum ssl_kind { SSL_READ, SSL_WRITE, SSL_HANDSHAKE };

struct sslsniff_conf {
	u32 max;                /* bytes of data that are wanted */
	u8 kind[SSL_FUNCTIONS]; /* of functions by their number: enum ssl_kind */
	bool ex[SSL_FUNCTIONS]; /* the fourth argument points to how many bytes there were */
};

struct sslsniff_event {
	struct bcc_task task; /* its time is that of the call */
	u64 lat_ns;
	u32 func, kind;
	u32 len;      /* bytes that were read or written */
	u32 captured; /* of them, how many follow */
	char data[SSL_DATA_MAX];
};

#endif
