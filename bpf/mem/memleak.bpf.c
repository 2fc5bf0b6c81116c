/*
 * Allocations that are not freed. One is noted when its call returns, and struck out before its
 * memory is given back, so that whoever gets that memory next is noted after that.
 */
#include "bcctool.bpf.h"
#include "site.bpf.h"
#include "stack.bpf.h"
#include "memleak.h"

#define NAME_PAGES  1
#define NAME_PERCPU 2

const volatile struct memleak_conf conf;
u32 started; /* what is allocated before all probes are live may be freed unseen */
u64 seen;    /* allocations, for `sample` */

/* A call on its way. Calls inside of it are the allocator's own affair. */
struct call {
	u64 sp, size;
	u64 result; /* where the address will be; 0: it is what is returned */
	bool mapped;
	struct memleak_address old_at; /* what a realloc moves, until it is known that it did */
	struct memleak_alloc old;
};

HASH(calls, u32, struct call, 10240);
HASH(allocs, struct memleak_address, struct memleak_alloc, 1000000);
HASH(combined, struct memleak_key, struct memleak_value, 65536);
EVENTS;

static __always_inline struct memleak_address address(u64 addr, u32 kind)
{
	return (struct memleak_address){ addr, conf.user ? current_pid() : 0, kind };
}

static __always_inline void tell(void *ctx, u64 addr, u64 size, bool freed)
{
	struct memleak_event e = { .addr = addr, .size = size, .call = freed };

	task_now(&e.task);
	emit(ctx, &e, sizeof(e));
}

static __always_inline void sum(const struct memleak_key *key, s64 bytes, s64 count)
{
	struct memleak_value *v = bpf_map_lookup_elem(&combined, key), none = {};

	if (!v) {
		bpf_map_update_elem(&combined, key, &none, BPF_NOEXIST);
		v = bpf_map_lookup_elem(&combined, key);
	}
	if (!v) {
		lose(LOST_KEY);
		return;
	}
	__sync_fetch_and_add(&v->bytes, bytes);
	__sync_fetch_and_add(&v->count, count);
}

/* Of two that free the same only one finds it there to be deleted. */
static __always_inline bool strike(const struct memleak_address *at, struct memleak_alloc *was)
{
	struct memleak_alloc *a = bpf_map_lookup_elem(&allocs, at);

	if (!a)
		return false;
	*was = *a;
	if (bpf_map_delete_elem(&allocs, at))
		return false;
	if (conf.combined)
		sum(&was->key, -was->size, -1);
	return true;
}

static __always_inline void note(const struct memleak_address *at, const struct memleak_alloc *a)
{
	struct memleak_alloc before;

	strike(at, &before); /* its end was not seen */
	if (bpf_map_update_elem(&allocs, at, a, BPF_ANY)) {
		lose(LOST_START);
		return;
	}
	if (conf.combined)
		sum(&a->key, a->size, 1);
}

static __always_inline bool sampled(void)
{
	return conf.sample < 2 || !(__sync_fetch_and_add(&seen, 1) % conf.sample);
}

static __always_inline void allocated(void *ctx, u64 addr, u32 kind, u64 size)
{
	struct memleak_address at = address(addr, kind);
	struct memleak_alloc a = { .size = size, .time = bpf_ktime_get_ns() };

	if (!started || size < conf.min_size || size > conf.max_size || !sampled())
		return;
	if (conf.trace) {
		tell(ctx, addr, size, false);
		return;
	}
	if (conf.user) {
		struct task_struct *task = (void *)bpf_get_current_task();

		a.key.pid = at.pid;
		a.key.user = stack_user(ctx, BPF_CORE_READ(task, flags), at.pid);
	} else {
		a.key.kernel = stack_kernel_bare(ctx);
	}
	note(&at, &a);
}

static __always_inline int freed(void *ctx, u64 addr, u32 kind)
{
	struct memleak_address at = address(addr, kind);
	struct memleak_alloc was;

	if (conf.trace) {
		if (addr && started && wanted())
			tell(ctx, addr, 0, true);
		return 0;
	}
	strike(&at, &was);
	return 0;
}

/* Below the frame of a call the stack grows: what is called inside begins there. */
static __always_inline bool inside(const struct call *call, u64 sp)
{
	return call && sp < call->sp;
}

static __always_inline int enter(struct pt_regs *ctx, u32 kind)
{
	u64 a = PT_REGS_PARM1(ctx), b = PT_REGS_PARM2(ctx), c = PT_REGS_PARM3(ctx);
	struct call call = { .sp = PT_REGS_SP(ctx), .size = a };
	u32 tid = current_tid();

	barrier_var(a); /* each is loaded from one place, whatever it is used for */
	barrier_var(b);
	barrier_var(c);
	if (!wanted() || inside(bpf_map_lookup_elem(&calls, &tid), call.sp))
		return 0;
	if (kind == LEAK_CALLOC)
		call.size = a * b;
	else if (kind == LEAK_ARRAY)
		call.size = b * c;
	else if (kind == LEAK_POSIX || kind == LEAK_MREMAP)
		call.size = c;
	else if (kind != LEAK_MALLOC)
		call.size = b;
	if (kind == LEAK_POSIX)
		call.result = a;
	call.mapped = kind == LEAK_MMAP || kind == LEAK_MREMAP;
	if (kind == LEAK_REALLOC || kind == LEAK_ARRAY || kind == LEAK_MREMAP) {
		struct memleak_address at = address(a, 0);

		if (a && strike(&at, &call.old))
			call.old_at = at;
		if (conf.trace && a && started)
			tell(ctx, a, 0, true);
	}
	begin(&calls, &tid, &call);
	return 0;
}

#ifdef __TARGET_ARCH_x86
#define RETURN_POPS 8 /* the return address, which a call pushed */
#else
#define RETURN_POPS 0
#endif

static __always_inline int returned_from(struct pt_regs *ctx)
{
	u64 addr = PT_REGS_RC(ctx), sp = PT_REGS_SP(ctx);
	u32 tid = current_tid();
	struct call *begun = bpf_map_lookup_elem(&calls, &tid), call;
	bool failed;

	if (!begun || begun->sp + RETURN_POPS != sp)
		return 0;
	call = *begun;
	bpf_map_delete_elem(&calls, &tid);
	failed = call.mapped ? addr == -1ull : !addr;
	if (call.result) {
		failed = (int)addr;
		if (!failed && bpf_probe_read_user(&addr, sizeof(addr), (void *)call.result)) {
			lose(LOST_TEXT);
			return 0;
		}
	}
	if (!failed)
		allocated(ctx, addr, 0, call.size);
	else if (call.old_at.addr && call.size) /* it is where it was; realloc(p, 0) frees */
		note(&call.old_at, &call.old);
	return 0;
}

/* A field of a tracepoint's record: of one that has it, and not of others, whose end may be before.
 */
#define RECORD(type, field)                                                                        \
	({                                                                                         \
		typeof(((struct type *)0)->field) value = 0;                                       \
                                                                                                   \
		bpf_probe_read_kernel(&value, sizeof(value), &((struct type *)ctx)->field);        \
		value;                                                                             \
	})

static __always_inline int object_allocated(void *ctx)
{
	u64 addr = (u64)RECORD(trace_event_raw_kmalloc, ptr);

	if (addr && wanted())
		allocated(ctx, addr, 0, RECORD(trace_event_raw_kmalloc, bytes_alloc));
	return 0;
}

static __always_inline int pages_allocated(void *ctx)
{
	u64 pfn = RECORD(trace_event_raw_mm_page_alloc, pfn);
	u32 order = RECORD(trace_event_raw_mm_page_alloc, order);

	if (pfn != -1ul && wanted())
		allocated(ctx, pfn, NAME_PAGES, conf.page << (order & 31));
	return 0;
}

static __always_inline int percpu_allocated(void *ctx)
{
	u64 addr = (u64)RECORD(trace_event_raw_percpu_alloc_percpu, ptr);

	if (addr && wanted())
		allocated(ctx, addr, NAME_PERCPU,
			  RECORD(trace_event_raw_percpu_alloc_percpu, bytes_alloc));
	return 0;
}

static __always_inline int in_kernel(void *ctx, u32 number)
{
	switch (conf.kind[number & (MEMLEAK_SITES - 1)]) {
	case LEAK_KMALLOC: return object_allocated(ctx);
	case LEAK_PAGES: return pages_allocated(ctx);
	case LEAK_PAGES_FREE:
		return freed(ctx, RECORD(trace_event_raw_mm_page_alloc, pfn), NAME_PAGES);
	case LEAK_PERCPU: return percpu_allocated(ctx);
	}
	return 0;
}

static __always_inline int in_process(struct pt_regs *ctx, u32 number)
{
	u32 kind = conf.kind[number & (MEMLEAK_SITES - 1)];

	if (kind == LEAK_FREE)
		return freed(ctx, PT_REGS_PARM1(ctx), 0);
	return kind == LEAK_RETURNED ? returned_from(ctx) : enter(ctx, kind);
}

SITES_APART(in_process, in_kernel)

/*
 * What RCU frees it frees in interrupts, and the kernel skips the programs of a tracepoint's record
 * where another one runs on that CPU, before 6.7 without counting: that would look like leaks.
 * Programs of raw tracepoints are skipped only where they themselves run.
 */
SEC("raw_tp/kfree")
int kmalloc_freed(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(ctx, ctx->args[1], 0);
}

SEC("raw_tp/kmem_cache_free")
int object_freed(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(ctx, ctx->args[1], 0);
}

SEC("raw_tp/percpu_free_percpu")
int percpu_freed(struct bpf_raw_tracepoint_args *ctx)
{
	return freed(ctx, ctx->args[2], NAME_PERCPU);
}
