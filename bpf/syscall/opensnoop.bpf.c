/*
 * An open is reported when it returns: only then are its result and its path known.
 * do_sys_openat2() is behind open, creat, openat and openat2, of 64-bit and 32-bit programs; at its
 * end its arguments are still there, so nothing need be kept from the beginning.
 */
#include "bcctool.bpf.h"
#include "path.bpf.h"
#include "syscall.bpf.h"
#include "opensnoop.h"

struct call {
	const char *path;
	int dfd;
	u32 flags, mode;
};

/* An open by io_uring frees its name before it returns. */
struct uring_call {
	u32 flags, mode;
	u32 len;
	char path[1024];
};

const volatile struct opensnoop_conf conf;
HASH(calls, u32, struct call, 10240);
INSIDE(inside);
HASH(uring_calls, u64, struct uring_call, 256);
PERCPU(scratch, struct opensnoop_event);
PERCPU(uring_scratch, struct uring_call);
EVENTS;

/* O_CREAT, and O_TMPFILE without O_DIRECTORY: only these make open(2) look at the mode. */
#define MODE_COUNTS (0100 | 020000000)

/* The kernel adds it to the flags of open, openat and creat; programs for 64 bits do not pass it.
 */
#ifdef __TARGET_ARCH_arm64
#define LARGEFILE 0400000
#else
#define LARGEFILE 0100000
#endif

static __always_inline bool asked_for(u32 flags, long ret)
{
	if (conf.failed && ret >= 0)
		return false;
	return !conf.any_flags || flags & conf.flags || conf.modes >> (flags & 3) & 1;
}

static __always_inline void add_folders(struct opensnoop_event *e, int dfd)
{
	struct task_struct *task = (void *)bpf_get_current_task();
	struct fs_struct *fs = BPF_CORE_READ(task, fs);
	struct path from = {}, root = {};
	u32 len = 0;

	if (e->path[0] == '/' || !path_of_dirfd(dfd, &from))
		return;
	bpf_core_read(&root, sizeof(root), &fs->root);
	if (e->name_len < OPEN_PATH_MAX - PATH_NAME)
		len = path_append(e->path, e->name_len, OPEN_PATH_MAX, &from, &root);
	if (len)
		e->name_len = len;
	else
		e->truncated = true;
}

static __always_inline void send(void *ctx, struct opensnoop_event *e, u32 flags, u32 mode,
				 long ret)
{
	u32 len = e->name_len;

	task_now(&e->task);
	e->fd = ret < 0 ? -1 : ret;
	e->err = ret < 0 ? -ret : 0;
	e->flags = flags;
	e->mode = flags & MODE_COUNTS ? mode : 0;
	if (len < sizeof(e->path))
		emit(ctx, e, offsetof(struct opensnoop_event, path) + len);
}

static __always_inline int report(void *ctx, const struct call *call, long ret)
{
	struct opensnoop_event *e;
	long n;

	if (!asked_for(call->flags, ret))
		return 0;
	e = scratch_here();
	if (!e)
		return 0;
	e->truncated = false;
	n = bpf_probe_read_user_str(e->path, OPEN_PATH_MAX, call->path);
	e->name_len = n > 0 ? n : 0;
	if (n < 0 && ret != -14 /* EFAULT: there was no name */)
		lose(LOST_TEXT);
	if (conf.full_path && n > 0)
		add_folders(e, call->dfd);
	send(ctx, e, call->flags, call->mode, ret);
	return 0;
}

SEC("fentry/do_sys_openat2")
int BPF_PROG(opening)
{
	return entered(&inside);
}

SEC("fexit/do_sys_openat2")
int BPF_PROG(opened, int dfd, const char *name, struct open_how *how, long ret)
{
	struct call call = { name, dfd };

	returned(&inside);
	if (!wanted())
		return 0;
	call.flags = how->flags & ~LARGEFILE;
	call.mode = how->mode;
	return report(ctx, &call, ret);
}

/* Where do_sys_openat2() cannot be traced: the system calls themselves. */
static __always_inline int enter(int dfd, u64 path, u32 flags, u32 mode)
{
	struct call call = { (const char *)path, dfd, flags, mode };
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
		report(ctx, call, ret);
		bpf_map_delete_elem(&calls, &tid);
	}
	return 0;
}

static __always_inline struct open_how how_at(u64 user)
{
	struct open_how how = {};

	bpf_probe_read_user(&how, sizeof(how), (void *)user);
	return how;
}

SYSCALL(open, enter(AT_FDCWD, arg(0), arg(1), arg(2)))
SYSCALL(creat, enter(AT_FDCWD, arg(0), 01101 /* O_CREAT|O_WRONLY|O_TRUNC */, arg(1)))
SYSCALL(openat, enter(arg(0), arg(1), arg(2), arg(3)))
SYSCALL(openat2, enter(arg(0), arg(1), how_at(arg(2)).flags, how_at(arg(2)).mode))

SEC("fentry/io_openat2")
int BPF_PROG(uring_open, struct io_kiocb *req)
{
	struct io_open *open = (void *)req + bpf_core_field_offset(struct io_kiocb, cmd);
	struct uring_call *call = uring_scratch_here();
	u64 key = (u64)req;
	long n;

	if (!call || !wanted())
		return 0;
	call->flags = BPF_CORE_READ(open, how.flags) & ~LARGEFILE;
	call->mode = BPF_CORE_READ(open, how.mode);
	n = bpf_probe_read_kernel_str(call->path, sizeof(call->path),
				      BPF_CORE_READ(open, filename, name));
	call->len = n > 0 ? n : 0;
	if (n < 0 || n == sizeof(call->path))
		lose(LOST_TEXT);
	begin(&uring_calls, &key, call);
	return 0;
}

/* It returns -EAGAIN when it will be tried again, where it may sleep. */
SEC("fexit/io_openat2")
int BPF_PROG(uring_opened, struct io_kiocb *req, unsigned int issue_flags, int ret)
{
	u64 key = (u64)req;
	struct uring_call *call = bpf_map_lookup_elem(&uring_calls, &key);
	struct opensnoop_event *e = scratch_here();
	int res = BPF_CORE_READ(req, cqe.res);

	if (!call || !e)
		return 0;
	if (ret != -11 /* EAGAIN */ && asked_for(call->flags, res)) {
		e->truncated = call->len == sizeof(call->path);
		e->name_len = call->len & (sizeof(call->path) * 2 - 1);
		bpf_probe_read_kernel(e->path, sizeof(call->path), call->path);
		send(ctx, e, call->flags, call->mode, res);
	}
	bpf_map_delete_elem(&uring_calls, &key);
	return 0;
}
