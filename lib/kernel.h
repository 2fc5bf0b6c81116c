/*
 * The running kernel, as far as tracing is concerned: what it has, what it lets
 * us do, and in one line why not. Nothing is looked up before it is asked for.
 */
#ifndef KERNEL_H
#define KERNEL_H

#include <stdbool.h>

#include "buf.h"

/*
 * A folder descriptor of tracefs, which need not be mounted (fsopen(2) makes a mount of our own).
 * Negative errno if that is refused. The descriptor stays open and is the library's.
 */
int tracefs_dir(void);
int debugfs_dir(void); /* the same of debugfs */

/* The id of "category/name" for perf_event_open(2); negative errno: -ENOENT if there is none. */
int tracepoint_id(const char *event);

/* Whether "category/name" exists, by tracefs. */
bool tracepoint_exists(const char *event);

/* A tracepoint of that name in the kernel's BTF (typedef btf_trace_NAME). */
bool typed_tracepoint_exists(const char *name);

/* The same, or one of a loaded module, or where there is no BTF by tracefs. */
bool raw_tracepoint_exists(const char *name);

/*
 * The type for perf_event_open(2) of "kprobe" or "uprobe", -ENOENT if there is none:
 * Documentation/ABI/testing/sysfs-bus-event_source-devices.
 */
int perf_type(const char *pmu);

/* Whether a kprobe can be put on the function: tried, with a perf event that is closed at once. */
bool kprobe_possible(const char *function);

/*
 * Whether a task can lose its CPU while it runs in the kernel (preempt=full or lazy, PREEMPT_RT);
 * true if that cannot be told. The kernel does not run an fentry or fexit program on a CPU where
 * another task is in the middle of it, so there such programs miss events (seen: a third of a storm
 * of opens).
 */
bool kernel_preempts(void);

/* The inode of our own namespace of a kind ("pid"); /proc need not be mounted for root. */
bool own_namespace(const char *kind, u32 *inode);

/* The Linux version, as KERNEL_VERSION() makes it. */
unsigned kernel_release(void);

enum lockdown { LOCKDOWN_NONE, LOCKDOWN_INTEGRITY, LOCKDOWN_CONFIDENTIALITY };
enum lockdown
kernel_lockdown(void); /* /sys/kernel/security/lockdown; securityfs need not be mounted */

/*
 * Capabilities (linux/capability.h). have_cap() counts CAP_SYS_ADMIN for CAP_BPF and CAP_PERFMON,
 * as the kernel does. drop_caps() keeps those of the list `keep`, ended by -1, and no others.
 */
bool have_cap(int cap);
int drop_caps(const int *keep);

/*
 * Why the kernel refused, if that can be told: missing capabilities, lockdown, no BTF (unless
 * `btf`, a file, stands in for the kernel's own) ... One line.
 */
bool kernel_explain(struct buf *b, int err, const char *btf);

#endif
