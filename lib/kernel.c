#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/magic.h>
#include <linux/perf_event.h>
#include <linux/version.h>

#include "kbtf.h"
#include "kernel.h"
#include "util.h"

/* Inode of the initial user namespace: PROC_USER_INIT_INO, include/linux/proc_ns.h. */
#define INIT_USERNS 0xEFFFFFFDU

static bool mounted(const char *path, long magic)
{
	struct statfs fs;

	return !statfs(path, &fs) && fs.f_type == magic;
}

/* A mount that is in no namespace: only this descriptor leads to it. */
static int detached_mount(const char *type)
{
	int fs = syscall(SYS_fsopen, type, FSOPEN_CLOEXEC), fd;

	if (fs < 0)
		return -errno;
	if (syscall(SYS_fsconfig, fs, FSCONFIG_CMD_CREATE, NULL, NULL, 0) < 0)
		fd = -errno;
	else if ((fd = syscall(SYS_fsmount, fs, FSMOUNT_CLOEXEC, 0)) < 0)
		fd = -errno;
	close(fs);
	return fd;
}

static int open_mounted(const char *path, long magic)
{
	return mounted(path, magic) ? open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC) : -ENOENT;
}

int tracefs_dir(void)
{
	static int dir = -1;

	if (dir < 0)
		dir = open_mounted("/sys/kernel/tracing", TRACEFS_MAGIC);
	if (dir < 0)
		dir = open_mounted("/sys/kernel/debug/tracing", TRACEFS_MAGIC);
	return dir >= 0 ? dir : (dir = detached_mount("tracefs"));
}

int debugfs_dir(void)
{
	static int dir = -1;

	if (dir < 0)
		dir = open_mounted("/sys/kernel/debug", DEBUGFS_MAGIC);
	return dir >= 0 ? dir : (dir = detached_mount("debugfs"));
}

bool tracepoint_exists(const char *event)
{
	char path[256];

	snprintf(path, sizeof(path), "events/%s", event);
	return tracefs_dir() >= 0 && !faccessat(tracefs_dir(), path, F_OK, 0);
}

int tracepoint_id(const char *event)
{
	char path[256], text[32];
	int fd, dir = tracefs_dir();
	ssize_t n;

	if (dir < 0)
		return dir;
	snprintf(path, sizeof(path), "events/%s/id", event);
	fd = openat(dir, path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	n = read(fd, text, sizeof(text) - 1);
	close(fd);
	if (n <= 0)
		return n ? -errno : -ENODATA;
	text[n] = '\0';
	return atoi(text);
}

bool typed_tracepoint_exists(const char *name)
{
	char typedef_name[128];

	snprintf(typedef_name, sizeof(typedef_name), "btf_trace_%s", name);
	return kbtf_available() && kbtf_id(typedef_name, KBTF_TYPEDEF) > 0;
}

bool raw_tracepoint_exists(const char *name)
{
	char path[512], function[128];
	struct dirent *e;
	bool found = false;
	DIR *d;
	int id;

	if (typed_tracepoint_exists(name))
		return true;
	if (tracefs_dir() < 0 || !(d = fdopendir(openat(tracefs_dir(), "events", O_RDONLY)))) {
		/* Those who may not read it have BTF: of the function that calls what is attached.
		 */
		snprintf(function, sizeof(function), "__traceiter_%s", name);
		return kbtf_available() && kbtf_module(function, &id);
	}
	while (!found && (e = readdir(d))) {
		snprintf(path, sizeof(path), "events/%s/%s", e->d_name, name);
		found = e->d_name[0] != '.' && !faccessat(tracefs_dir(), path, F_OK, 0);
	}
	closedir(d);
	return found;
}

int perf_type(const char *pmu)
{
	char path[128], *text;
	int type;

	snprintf(path, sizeof(path), "/sys/bus/event_source/devices/%s/type", pmu);
	text = read_file(path, 64, NULL);
	type = text ? atoi(text) : -ENOENT;
	free(text);
	return type;
}

bool kprobe_possible(const char *function)
{
	int type = perf_type("kprobe"), fd;
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.config1 = (u64)(unsigned long)function,
	};

	if (type < 0)
		return false;
	fd = syscall(SYS_perf_event_open, &attr, -1, 0, -1, PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return errno == EACCES ||
		       errno == EPERM; /* it may exist; starting says what lacks */
	close(fd);
	return true;
}

unsigned kernel_release(void)
{
	unsigned a = 0, b = 0, c = 0;
	struct utsname u;

	uname(&u);
	sscanf(u.release, "%u.%u.%u", &a, &b, &c);
	return KERNEL_VERSION(a, b, c > 255 ? 255 : c);
}

/* A small file of a file system that need not be mounted; "" if it cannot be had. */
static void read_kernfs(const char *type, const char *top, const char *name, char *text,
			size_t size)
{
	char path[256];
	ssize_t n = 0;
	int dir, fd;

	snprintf(path, sizeof(path), "%s/%s", top, name);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0 && (dir = detached_mount(type)) >= 0) {
		fd = openat(dir, name, O_RDONLY | O_CLOEXEC);
		close(dir);
	}
	if (fd >= 0) {
		n = read(fd, text, size - 1);
		close(fd);
	}
	text[n > 0 ? n : 0] = '\0';
}

bool kernel_preempts(void)
{
	char text[64];
	struct utsname u;

	uname(&u);
	if (!strstr(u.version, " PREEMPT"))
		return false;
	if (!strstr(u.version, " PREEMPT_DYNAMIC"))
		return true;
	/* "none (voluntary) full": kernel/sched/debug.c */
	read_kernfs("debugfs", "/sys/kernel/debug", "sched/preempt", text, sizeof(text));
	return !strstr(text, "(none)") && !strstr(text, "(voluntary)");
}

enum lockdown kernel_lockdown(void)
{
	char text[64];

	read_kernfs("securityfs", "/sys/kernel/security", "lockdown", text, sizeof(text));
	return strstr(text, "[integrity]")         ? LOCKDOWN_INTEGRITY
	       : strstr(text, "[confidentiality]") ? LOCKDOWN_CONFIDENTIALITY
						   : LOCKDOWN_NONE;
}

static bool effective(int cap)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[2] = {};

	if (syscall(SYS_capget, &head, data))
		return false;
	return data[cap / 32].effective >> (cap % 32) & 1;
}

bool have_cap(int cap)
{
	return effective(cap) ||
	       ((cap == CAP_BPF || cap == CAP_PERFMON) && effective(CAP_SYS_ADMIN));
}

int drop_caps(const int *keep)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct has[2] = {}, data[2] = {};

	if (syscall(SYS_capget, &head, has))
		return -errno;
	for (; *keep >= 0; keep++) {
		u32 bit = 1u << (*keep % 32) & has[*keep / 32].permitted;

		data[*keep / 32].effective |= bit;
		data[*keep / 32].permitted |= bit;
	}
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

bool own_namespace(const char *kind, u32 *inode)
{
	char path[64];
	struct stat st;
	int dir = AT_FDCWD, err;

	snprintf(path, sizeof(path), "/proc/self/ns/%s", kind);
	err = stat(path, &st);
	if (err && (dir = detached_mount("proc")) >= 0) {
		err = fstatat(dir, path + strlen("/proc/"), &st, 0);
		close(dir);
	}
	if (!err)
		*inode = st.st_ino;
	return !err;
}

static bool initial_userns(void)
{
	u32 inode;

	return !own_namespace("user", &inode) || inode == INIT_USERNS;
}

bool kernel_explain(struct buf *b, int err, const char *btf)
{
	const char *sep = "needs ";

	err = err < 0 ? -err : err;
	if (err == EPERM || err == EACCES) {
		if (!have_cap(CAP_BPF)) {
			buf_fmt(b, "%sCAP_BPF", sep);
			sep = " and ";
		}
		if (!have_cap(CAP_PERFMON)) {
			buf_fmt(b, "%sCAP_PERFMON", sep);
			sep = " and ";
		}
		if (sep[0] == ' ') {
			buf_str(b, ": run it as root, or give the file both with "
				   "'setcap cap_bpf,cap_perfmon+ep'");
			return true;
		}
		if (!initial_userns()) {
			buf_str(b,
				"capabilities in a user namespace do not count for BPF: run it in "
				"the initial one");
			return true;
		}
	}
	if (kernel_lockdown() == LOCKDOWN_CONFIDENTIALITY) {
		buf_str(b,
			"the kernel is locked down (confidentiality), which forbids this probe to "
			"read kernel memory");
		return true;
	}
	if (!btf && !kbtf_available()) {
		buf_str(b,
			"this kernel has no BTF (/sys/kernel/btf/vmlinux, CONFIG_DEBUG_INFO_BTF); "
			"--btf FILE gives it from a file");
		return true;
	}
	return false;
}
