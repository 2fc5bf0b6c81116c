#include <arpa/inet.h>
#include <stddef.h>
#include <string.h>

#include "buf.h"
#include "flow.h"

const char *const tcp_states[TCP_STATES] = {
	[0] = "-",
	[TCP_ESTABLISHED] = "ESTABLISHED",
	[TCP_SYN_SENT] = "SYN_SENT",
	[TCP_SYN_RECV] = "SYN_RECV",
	[TCP_FIN_WAIT1] = "FIN_WAIT1",
	[TCP_FIN_WAIT2] = "FIN_WAIT2",
	[TCP_TIME_WAIT] = "TIME_WAIT",
	[TCP_CLOSE] = "CLOSE",
	[TCP_CLOSE_WAIT] = "CLOSE_WAIT",
	[TCP_LAST_ACK] = "LAST_ACK",
	[TCP_LISTEN] = "LISTEN",
	[TCP_CLOSING] = "CLOSING",
	[TCP_NEW_SYN_RECV] = "SYN_RECV",
};

bool flow_is_ipv4(const u8 addr[16])
{
	static const u8 mapped[12] = { [10] = 0xff, [11] = 0xff };

	return !memcmp(addr, mapped, sizeof(mapped));
}

void flow_ip(struct buf *b, const u8 addr[16])
{
	bool v4 = flow_is_ipv4(addr);
	char text[INET6_ADDRSTRLEN];

	inet_ntop(v4 ? AF_INET : AF_INET6, v4 ? addr + 12 : addr, text, sizeof(text));
	buf_str(b, text);
}

bool flow_parse_ip(const char *text, u8 addr[16])
{
	memset(addr, 0, 16);
	if (inet_pton(AF_INET6, text, addr) == 1)
		return true;
	addr[10] = addr[11] = 0xff;
	return inet_pton(AF_INET, text, addr + 12) == 1;
}

/* Rows of tables are packed: their numbers may be unaligned. */
static void end(struct buf *b, const u8 *flow, size_t addr, size_t port)
{
	u16 v;

	memcpy(&v, flow + port, sizeof(v));
	flow_ip(b, flow + addr);
	buf_chr(b, ':');
	buf_u64(b, v);
}

void flow_local(struct buf *b, const void *laddr, const void *row)
{
	(void)row;
	end(b, (const u8 *)laddr - offsetof(struct bcc_flow, laddr),
	    offsetof(struct bcc_flow, laddr), offsetof(struct bcc_flow, lport));
}

void flow_remote(struct buf *b, const void *raddr, const void *row)
{
	(void)row;
	end(b, (const u8 *)raddr - offsetof(struct bcc_flow, raddr),
	    offsetof(struct bcc_flow, raddr), offsetof(struct bcc_flow, rport));
}
