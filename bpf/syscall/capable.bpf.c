/* Checks of a capability, when they are decided: by the current task, for itself nearly always. */
#include "bcctool.bpf.h"
#include "capable.h"

/* include/linux/security.h, since 5.1 */
#define CAP_OPT_NOAUDIT (1 << 1)
#define CAP_OPT_INSETID (1 << 2)

struct check {
	u32 cap, options;
};

/* What --unique takes for the same: with -K and -U, only from the same callers. */
struct seen_key {
	u64 whose, callers;
	u32 cap, unused;
};

const volatile struct capable_conf conf;
HASH(checks, u32, struct check, 10240); /* in flight */
HASH(seen, struct seen_key, u8, 10240);
PERCPU(scratch, struct capable_event);
EVENTS;

static __noinline u64 hash_stack(const struct bcc_stack *s, u64 n)
{
	u64 hash = n;

	for (u32 i = 0; s && i < STACK_DEPTH && i < n; i++) {
		hash = (hash ^ s->ip[i]) * 0x9e3779b97f4a7c15ull;
		hash ^= hash >> 32;
	}
	return hash;
}

static __always_inline void take_stack(void *ctx, struct bcc_stack *s, u64 flags)
{
	u32 frames = flags & BPF_F_USER_STACK ? conf.depth : conf.depth + STACK_OURS;
	u32 size = frames < STACK_DEPTH ? frames * sizeof(u64) : sizeof(s->ip);
	long len = bpf_get_stack(ctx, s->ip, size, flags);

	if (len < 0)
		lose(LOST_STACK);
	s->n = len < 0 ? STACK_LOST : (u64)len / sizeof(u64);
}

/* The first check of its kind? */
static __always_inline bool is_new(const struct capable_event *e)
{
	struct seen_key key = { .cap = e->cap };
	u8 one = 1;

	key.whose = conf.by_cgroup ? bpf_get_current_cgroup_id() : bpf_get_current_pid_tgid() >> 32;
	if (conf.kernel_stack)
		key.callers = hash_stack(&e->kernel, e->kernel.n);
	if (conf.user_stack)
		key.callers ^= hash_stack(&e->user, e->user.n) << 1;
	if (bpf_map_lookup_elem(&seen, &key))
		return false;
	begin(&seen, &key, &one);
	return true;
}

static __always_inline bool audited(u32 options)
{
	return conf.options ? !(options & CAP_OPT_NOAUDIT) : options;
}

static __always_inline int decided(void *ctx, u32 cap, u32 options, long ret)
{
	struct capable_event *e;

	if ((!conf.unaudited && !audited(options)) || !wanted())
		return 0;
	e = scratch_here();
	if (!e)
		return 0;
	task_now(&e->task);
	e->cap = cap;
	e->audit = audited(options);
	e->insetid = conf.options ? !!(options & CAP_OPT_INSETID) : -1;
	e->allowed = !ret;
	e->kernel.n = e->user.n = 0;
	if (conf.kernel_stack)
		take_stack(ctx, &e->kernel, 0);
	if (conf.user_stack)
		take_stack(ctx, &e->user, BPF_F_USER_STACK);
	if (conf.unique && !is_new(e))
		return 0;
	emit(ctx, e,
	     conf.kernel_stack || conf.user_stack ? sizeof(*e)
						  : offsetof(struct capable_event, kernel));
	return 0;
}

SEC("fexit/cap_capable")
int BPF_PROG(checked, void *cred, void *ns, int cap, unsigned int options, int ret)
{
	return decided(ctx, cap, options, ret);
}

SEC("kprobe/cap_capable")
int BPF_KPROBE(enter, void *cred, void *ns, int cap, unsigned int options)
{
	struct check check = { cap, options };
	u32 tid = current_tid();

	begin_call(&checks, &tid, &check);
	return 0;
}

SEC("kretprobe/cap_capable")
int BPF_KRETPROBE(leave, int ret)
{
	u32 tid = current_tid();
	struct check *check = bpf_map_lookup_elem(&checks, &tid), copy;

	if (!check)
		return 0;
	copy = *check;
	bpf_map_delete_elem(&checks, &tid);
	return decided(ctx, copy.cap, copy.options, ret);
}
