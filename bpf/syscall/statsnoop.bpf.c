/*
 * A lookup of attributes by name is reported when its call returns. The functions of the calls have
 * their arguments still; where they cannot be traced, these are kept from the entry.
 */
#include "bcctool.bpf.h"
#include "path.bpf.h"
#include "syscall.bpf.h"
#include "statsnoop.h"

struct call {
	u32 call;
	int dfd;
	const char *name;
};

const volatile struct statsnoop_conf conf;
HASH(calls, u32, struct call, 10240);
PERCPU(scratch, struct statsnoop_event);
EVENTS;

static __noinline int report(void *ctx, u32 call, int dfd, const char *name, long ret)
{
	struct statsnoop_event *e = scratch_here();

	if (!e || (conf.failed && ret >= 0))
		return 0;
	task_now(&e->task);
	e->fd = ret < 0 ? -1 : 0;
	e->err = ret < 0 ? -ret : 0;
	e->call = call;
	e->unused = 0;
	path_passed(&e->path, name, dfd, conf.full_path, ret == -14 /* EFAULT */);
	if (e->path.len <= sizeof(e->path.file))
		emit(ctx, e, PATH_EVENT_SIZE(*e));
	return 0;
}

static __always_inline int done(void *ctx, u32 call, int dfd, u64 name, long ret)
{
	return wanted() ? report(ctx, call, dfd, (const char *)name, ret) : 0;
}

#define BY_NAME(call)     done(ctx, call, AT_FDCWD, arg(0), ret)
#define BY_DIR_NAME(call) done(ctx, call, arg(0), arg(1), ret)

SYSCALL_RETURN_COMPAT(newstat, BY_NAME(STAT_STAT), BY_NAME(STAT_STAT))
SYSCALL_RETURN_COMPAT(newlstat, BY_NAME(STAT_LSTAT), BY_NAME(STAT_LSTAT))
SYSCALL_RETURN_COMPAT(newfstatat, BY_DIR_NAME(STAT_FSTATAT), BY_DIR_NAME(STAT_FSTATAT))
SYSCALL_RETURN(statx, BY_DIR_NAME(STAT_STATX))
SYSCALL_RETURN_COMPAT(statfs, BY_NAME(STAT_STATFS), BY_NAME(STAT_STATFS))

/* Of 32-bit programs only. */
SYSCALL_RETURN_OF(returned_stat64, SYSCALL_COMPAT "ia32_stat64", SYSCALL_ARGS_32,
		  BY_NAME(STAT_STAT64))
SYSCALL_RETURN_OF(returned_lstat64, SYSCALL_COMPAT "ia32_lstat64", SYSCALL_ARGS_32,
		  BY_NAME(STAT_LSTAT64))
SYSCALL_RETURN_OF(returned_fstatat64, SYSCALL_COMPAT "ia32_fstatat64", SYSCALL_ARGS_32,
		  BY_DIR_NAME(STAT_FSTATAT64))
SYSCALL_RETURN_OF(returned_statfs64, SYSCALL_COMPAT "statfs64", SYSCALL_ARGS_32,
		  BY_NAME(STAT_STATFS64))

/* Where the functions cannot be traced: the system calls themselves. */
static __always_inline int enter(u32 what, int dfd, u64 name)
{
	struct call call = { what, dfd, (const char *)name };
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
		report(ctx, call->call, call->dfd, call->name, ret);
		bpf_map_delete_elem(&calls, &tid);
	}
	return 0;
}

SYSCALL(newstat, enter(STAT_STAT, AT_FDCWD, arg(0)))
SYSCALL(newlstat, enter(STAT_LSTAT, AT_FDCWD, arg(0)))
SYSCALL(newfstatat, enter(STAT_FSTATAT, arg(0), arg(1)))
SYSCALL(statx, enter(STAT_STATX, arg(0), arg(1)))
SYSCALL(statfs, enter(STAT_STATFS, AT_FDCWD, arg(0)))
