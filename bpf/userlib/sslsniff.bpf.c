/* What TLS libraries are given to encrypt, and what they have decrypted, when they return. */
#include "bcctool.bpf.h"
#include "call.bpf.h"
#include "site.bpf.h"
#include "sslsniff.h"

struct call {
	u64 start;
	const void *data;
	u64 *count;
};

const volatile struct sslsniff_conf conf;
CALLS(struct call, 10240);
PERCPU(scratch, struct sslsniff_event);
EVENTS;

/* All have (handle, data, length) and some a fourth. */
static __always_inline int enter(struct pt_regs *ctx, u32 number)
{
	struct call call = { bpf_ktime_get_ns(), (const void *)PT_REGS_PARM2(ctx),
			     (void *)PT_REGS_PARM4(ctx) };
	struct call_key key;

	if (!wanted())
		return 0;
	key = call_of(ctx, number);
	call_begin(&key, &call, number);
	return 0;
}

/* How many bytes it was; 0 if none, of errors too. */
static __always_inline u32 length(struct pt_regs *ctx, const struct call *call, u32 func)
{
	int ret = PT_REGS_RC(ctx);
	u64 count = 0;

	if (!conf.ex[func])
		return ret > 0 ? ret : 0;
	if (ret == 1)
		bpf_probe_read_user(&count, sizeof(count), call->count);
	return count;
}

static __always_inline u32 capture(struct sslsniff_event *e, const void *data)
{
	u64 n = e->len < conf.max ? e->len : conf.max;

	barrier_var(n);
	if (n > SSL_DATA_MAX)
		n = SSL_DATA_MAX;
	if (n && bpf_probe_read_user(e->data, n, data)) {
		lose(LOST_TEXT);
		return 0;
	}
	return n;
}

static __always_inline int leave(struct pt_regs *ctx, u32 number)
{
	struct call_key key = call_of(ctx, number);
	struct sslsniff_event *e = scratch_here();
	u32 func = key.func;
	struct call call;
	u64 size;

	if (!call_end(&key, &call) || !e || func >= SSL_FUNCTIONS)
		return 0;
	if (!elapsed(call.start, &e->lat_ns))
		return 0;
	barrier_var(func); /* else the verifier does not see the bound */
	func &= SSL_FUNCTIONS - 1;
	task_now(&e->task);
	e->task.time = call.start;
	e->func = func;
	e->kind = conf.kind[func];
	e->len = e->kind == SSL_HANDSHAKE ? 0 : length(ctx, &call, func);
	if (!e->len && e->kind != SSL_HANDSHAKE)
		return 0;
	e->captured = e->len ? capture(e, call.data) : 0;
	size = e->captured;
	barrier_var(size);
	if (size > SSL_DATA_MAX)
		size = SSL_DATA_MAX;
	emit(ctx, e, offsetof(struct sslsniff_event, data) + size);
	return 0;
}

static __always_inline int follow(void *ctx, u32 number)
{
	return number & CALL_RETURN ? leave(ctx, number) : enter(ctx, number);
}

SITES(follow)
