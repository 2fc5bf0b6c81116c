/*
 * The arguments of a program that runs are read once the kernel has copied them to its stack: these
 * pages are in memory. Those of a call that failed are where they were, and it has read them
 * already.
 */
#include "bcctool.bpf.h"
#include "syscall.bpf.h"
#include "execsnoop.h"

#define EFAULT 14

struct call {
	u64 name, argv;
	s32 dfd;
};

/* events/sched/sched_process_exec/format */
struct trace_exec {
	struct trace_entry ent;
	u32 filename;
	s32 pid, old_pid;
};

const volatile struct execsnoop_conf conf;
HASH(calls, u32, struct call, 10240);
PERCPU(scratch, struct execsnoop_event);

/*
 * Text that is being read: where from, and how much of the event it fills. In a map, as the
 * verifier follows what is on the stack from round to round of a loop, and would not come to an
 * end.
 */
struct progress {
	u64 at, left, argv, arg;
	u32 len;
	bool done;
};
PERCPU(progress, struct progress);
EVENTS;

static __always_inline struct execsnoop_event *new_event(void)
{
	struct execsnoop_event *e = scratch_here();

	if (!e)
		return NULL;
	__builtin_memset(&e->head, 0, sizeof(e->head));
	e->head.dfd = AT_FDCWD;
	e->head.key = current_tid();
	return e;
}

static __always_inline struct progress *new_progress(void)
{
	struct progress *p = progress_here();

	if (p)
		*p = (struct progress){};
	return p;
}

static __always_inline void add_parent(struct execsnoop_head *h)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct task_struct *parent = BPF_CORE_READ(task, real_parent);

	h->ppid = ids_of(parent, BPF_CORE_READ(parent, tgid), 0).pid;
	COMM_OF(h->pcomm, parent);
}

/* What was not got is the end of the text, so that what was got is right. */
static __always_inline void cut(struct execsnoop_event *e)
{
	e->head.cut = true;
	lose(LOST_TEXT);
}

static __always_inline u64 event_size(u32 len)
{
	if (len > EXEC_PATH + EXEC_PIECE)
		len = 0;
	return offsetof(struct execsnoop_event, text) + len;
}

static __always_inline bool send_piece(void *ctx, struct execsnoop_event *e, u32 len)
{
	long err;

	e->head.piece = true;
	e->head.len = len;
	err = hand_over(ctx, e, event_size(len));
	e->head.piece = false;
	if (err)
		cut(e);
	else
		e->head.pieces++;
	return !err;
}

static __always_inline void send(void *ctx, struct execsnoop_event *e, u32 len, long ret)
{
	task_now(&e->head.task);
	e->head.cpu = bpf_get_smp_processor_id();
	e->head.ret = ret;
	e->head.len = len;
	emit(ctx, e, event_size(len));
}

struct reading {
	void *ctx;
	struct execsnoop_event *e;
	struct progress *p;
	long ret;
	u32 width;
};

/* REPEAT: a body by bpf_loop(), which verifiers follow once, or before 5.17 a loop as far as they
 * go. */
#define REPEAT(times, most, body, reading)                                                         \
	do {                                                                                       \
		if (conf.loop)                                                                     \
			bpf_loop(times, body, reading, 0);                                         \
		else                                                                               \
			for (u32 i_ = 0; i_ < (most) && !body(i_, reading);)                       \
				i_++;                                                              \
	} while (0)

static long read_piece(u32 i, struct reading *r)
{
	struct execsnoop_event *e = r->e;
	struct progress *p = r->p;
	u64 part = p->left;
	u32 len;

	if (part > EXEC_PIECE)
		part = EXEC_PIECE;
	if (bpf_probe_read_user(&e->text[p->len & (EXEC_PATH - 1)], part, (void *)p->at)) {
		cut(e);
		p->done = true;
		return 1;
	}
	p->at += part;
	p->left -= part;
	p->len += part;
	if (!p->left) {
		p->done = true;
		return 1;
	}
	len = p->len;
	p->len = 0;
	p->done = !send_piece(r->ctx, e, len);
	return p->done;
}

static __always_inline int executed(void *ctx, struct task_struct *p, struct linux_binprm *bprm,
				    bool typed)
{
	struct mm_struct *mm = FIELD(typed, p, mm);
	struct reading r = { .ctx = ctx };
	struct progress *at;
	long n;

	if (!wanted())
		return 0;
	r.e = new_event();
	r.p = at = new_progress();
	if (!r.e || !at)
		return 0;
	at->at = FIELD(typed, mm, arg_start);
	at->left = FIELD(typed, mm, arg_end) - at->at;
	n = bpf_probe_read_kernel_str(r.e->text, EXEC_PATH / 2, FIELD(typed, bprm, filename));
	at->len = n > 0 ? n : 0;
	r.e->head.script = FIELD(typed, bprm, interp) != FIELD(typed, bprm, filename);
	REPEAT(EXEC_PIECES, 16, read_piece, &r);
	if (!at->done)
		cut(r.e);
	add_parent(&r.e->head);
	send(ctx, r.e, at->len, 0);
	return 0;
}

SEC("tp_btf/sched_process_exec")
int BPF_PROG(executed_typed, struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
{
	return executed(ctx, p, bprm, true);
}

SEC("raw_tp/sched_process_exec")
int BPF_PROG(executed_raw, struct task_struct *p, pid_t old_pid, struct linux_binprm *bprm)
{
	return executed(ctx, p, bprm, false);
}

static long read_string(u32 i, struct reading *r)
{
	struct execsnoop_event *e = r->e;
	struct progress *p = r->p;
	long n;

	p->done = true;
	if (!p->arg) { /* not in the middle of a long one */
		if (bpf_probe_read_user(&p->arg, r->width == 4 ? 4 : 8, (void *)p->argv)) {
			if (p->argv && r->ret != -EFAULT)
				cut(e);
			return 1;
		}
		if (!p->arg)
			return 1;
		if (conf.max_args && e->head.args >= conf.max_args) {
			e->head.more = true;
			return 1;
		}
		p->argv += r->width;
		e->head.args++;
	}
	n = bpf_probe_read_user_str(&e->text[p->len & (EXEC_PATH - 1)], EXEC_PIECE, (void *)p->arg);
	if (!n) /* what an empty string is to many kernels: not even its NUL is written */
		e->text[p->len & (EXEC_PATH - 1)] = 0, n = 1;
	if (n < 0) {
		if (r->ret != -EFAULT)
			cut(e);
		return 1;
	}
	if (n == EXEC_PIECE) { /* its NUL is not the argument's */
		n--;
		p->arg += n;
	} else {
		p->arg = 0;
	}
	p->len += n;
	if (p->len >= EXEC_PATH) {
		u32 len = p->len;

		p->len = 0;
		if (!send_piece(r->ctx, e, len))
			return 1;
	}
	p->done = false;
	return 0;
}

/* The arguments of a call, by its array of pointers of `width` bytes; what is left to send. */
static __always_inline u32 read_args(void *ctx, struct execsnoop_event *e, u64 name, u64 argv,
				     u32 width, long ret)
{
	struct reading r = { .ctx = ctx, .e = e, .width = width, .ret = ret };
	struct progress *at = r.p = new_progress();
	long n = bpf_probe_read_user_str(e->text, EXEC_PATH / 2, (void *)name);

	if (!at)
		return 0;
	at->argv = argv;
	at->len = n > 0 ? n : 1;
	if (n <= 0) {
		e->text[0] = 0;
		if (n < 0 && ret != -EFAULT)
			cut(e);
	}
	REPEAT(1 << 20, 64, read_string, &r);
	if (!at->done)
		cut(e);
	return at->len;
}

static __always_inline int failed(void *ctx, s32 dfd, u64 name, u64 argv, u32 width, long ret,
				  bool kernel_types)
{
	struct execsnoop_event *e;

	if (ret >= 0 || !wanted())
		return 0;
	e = new_event();
	if (!e)
		return 0;
	e->head.dfd = dfd;
	if (kernel_types)
		add_parent(&e->head);
	send(ctx, e, read_args(ctx, e, name, argv, width, ret), ret);
	return 0;
}

#define POINTER    8
#define POINTER_32 4

SYSCALL_RETURN_COMPAT(execve, failed(ctx, AT_FDCWD, arg(0), arg(1), POINTER, ret, true),
		      failed(ctx, AT_FDCWD, arg(0), arg(1), POINTER_32, ret, true))
SYSCALL_RETURN_COMPAT(execveat, failed(ctx, arg(0), arg(1), arg(2), POINTER, ret, true),
		      failed(ctx, arg(0), arg(1), arg(2), POINTER_32, ret, true))

/* Where the functions cannot be traced: the system calls themselves. */
static __always_inline int enter(s32 dfd, u64 name, u64 argv)
{
	struct call call = { name, argv, dfd };
	u32 tid = current_tid();

	if (wanted())
		begin(&calls, &tid, &call);
	return 0;
}

static __always_inline int leave(void *ctx, long ret)
{
	u32 tid = current_tid();
	struct call *call = bpf_map_lookup_elem(&calls, &tid);

	if (call) {
		failed(ctx, call->dfd, call->name, call->argv, POINTER, ret, false);
		bpf_map_delete_elem(&calls, &tid);
	}
	return 0;
}

SYSCALL(execve, enter(AT_FDCWD, arg(0), arg(1)))
SYSCALL(execveat, enter(arg(0), arg(1), arg(2)))

/*
 * Without the kernel's types the new stack cannot be found: the arguments are read before the call,
 * when some of their pages may not be in memory yet.
 */
static __always_inline int early(void *ctx, s32 dfd, u64 name, u64 argv)
{
	struct execsnoop_event *e;

	if (!wanted())
		return 0;
	e = new_event();
	if (!e)
		return 0;
	e->head.dfd = dfd;
	send_piece(ctx, e, read_args(ctx, e, name, argv, POINTER, 0));
	return 0;
}

SEC("?tracepoint/syscalls/sys_enter_execve")
int early_execve(struct trace_event_raw_sys_enter *t)
{
	return early(t, AT_FDCWD, arg(0), arg(1));
}

SEC("?tracepoint/syscalls/sys_enter_execveat")
int early_execveat(struct trace_event_raw_sys_enter *t)
{
	return early(t, arg(0), arg(1), arg(2));
}

SEC("?tracepoint/sched/sched_process_exec")
int executed_early(struct trace_exec *t)
{
	struct execsnoop_event *e;

	if (!wanted())
		return 0;
	e = new_event();
	if (!e)
		return 0;
	e->head.key = t->old_pid;
	e->head.pieces = PIECES_UNKNOWN;
	send(t, e, 0, 0);
	return 0;
}
