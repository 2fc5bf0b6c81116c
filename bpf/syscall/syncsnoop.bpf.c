/* System calls that have data written to disk, when they begin. */
#include "bcctool.bpf.h"
#include "syscall.bpf.h"
#include "syncsnoop.h"

EVENTS;

static __always_inline int report(void *ctx, u32 call)
{
	struct syncsnoop_event e = {};

	if (!wanted())
		return 0;
	task_now(&e.task);
	e.call = call;
	emit(ctx, &e, sizeof(e));
	return 0;
}

SYSCALL_ENTRY(sync, report(ctx, SYNC_SYNC))
/* A call without arguments is one function, by its other names for 32-bit programs too. */
SYSCALL_ENTRY_OF(began_do_sync, "__do_sys_sync", report(ctx, SYNC_SYNC))
SYSCALL_ENTRY(fsync, report(ctx, SYNC_FSYNC))
SYSCALL_ENTRY(fdatasync, report(ctx, SYNC_FDATASYNC))
SYSCALL_ENTRY(msync, report(ctx, SYNC_MSYNC))
SYSCALL_ENTRY(sync_file_range, report(ctx, SYNC_FILE_RANGE))
SYSCALL_ENTRY(sync_file_range2, report(ctx, SYNC_FILE_RANGE))
SYSCALL_ENTRY(syncfs, report(ctx, SYNC_SYNCFS))
SYSCALL_ENTRY_OF(began_ia32_sync_file_range, SYSCALL_32 "ia32_sync_file_range",
		 report(ctx, SYNC_FILE_RANGE))
