#include <errno.h>
#include <fcntl.h>
#include <linux/openat2.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "maps.h"

#define MAX_LINE (32 << 10) /* a path may be 4096 bytes, each escaped in 4 */

static bool number(const char **p, int base, char until, u64 *v)
{
	char *end;

	*v = strtoull(*p, &end, base);
	if (end == *p || *end != until)
		return false;
	*p = end + 1;
	return true;
}

/* "7f01-7f02 r-xp 00001000 fe:00 1234      /path" */
static bool parse_line(const char *p, struct map *m)
{
	u64 major, minor;
	char *end;

	if (!number(&p, 16, '-', &m->start) || !number(&p, 16, ' ', &m->end) ||
	    m->end <= m->start || strlen(p) < 5)
		return false;
	m->exec = p[2] == 'x';
	p += 5;
	if (!number(&p, 16, ' ', &m->offset) || !number(&p, 16, ':', &major) ||
	    !number(&p, 16, ' ', &minor))
		return false;
	m->dev = makedev(major, minor);
	m->ino = strtoull(p, &end, 10);
	m->path = end + strspn(end, " ");
	return true;
}

static int read_lines(int fd, char *buf, int (*each)(const struct map *m, void *arg), void *arg)
{
	size_t have = 0;
	bool any = false, skip = false; /* skip: the rest of a line that was too long */

	for (;;) {
		ssize_t got = read(fd, buf + have, MAX_LINE - have);
		char *p = buf, *end, *nl;
		struct map m;
		int ret;

		if (got < 0 && errno == EINTR)
			continue;
		/* Dying while it was read is no failure of what was read before that. */
		if (got <= 0)
			return any && (!got || errno == ESRCH) ? 0 : got ? -errno : -ESRCH;
		any = true;
		for (end = buf + have + got; (nl = memchr(p, '\n', end - p)); p = nl + 1) {
			*nl = '\0';
			ret = !skip && parse_line(p, &m) ? each(&m, arg) : 0;
			if (ret)
				return ret;
			skip = false;
		}
		have = end - p;
		if (have == MAX_LINE) {
			skip = true;
			have = 0;
		}
		memmove(buf, p, have);
	}
}

int maps_each(u32 pid, int (*each)(const struct map *m, void *arg), void *arg)
{
	char path[32], *buf;
	int fd, ret;

	snprintf(path, sizeof(path), "/proc/%u/maps", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	buf = malloc(MAX_LINE);
	ret = buf ? read_lines(fd, buf, each, arg) : -ENOMEM;
	free(buf);
	close(fd);
	return ret;
}

static int beneath_root(u32 pid, const char *path, int flags)
{
	struct open_how how = { .flags = O_CLOEXEC | flags,
				.resolve = RESOLVE_IN_ROOT | RESOLVE_NO_MAGICLINKS };
	char buf[32];
	int root, fd;

	snprintf(buf, sizeof(buf), "/proc/%u/root", pid ?: (u32)getpid());
	root = open(buf, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (root < 0)
		return errno == ENOENT ? -ESRCH : -errno;
	fd = syscall(SYS_openat2, root, path, &how, sizeof(how));
	if (fd < 0 && (errno == ENOSYS || errno == EPERM) && (!pid || flags & O_NOFOLLOW))
		/* Before Linux 5.6. Our root is our own; elsewhere device and inode will tell
		 * whether a link led astray. */
		fd = openat(root, path + strspn(path, "/"), O_CLOEXEC | flags);
	fd = fd < 0 ? -errno : fd;
	close(root);
	return fd;
}

/*
 * overlayfs and btrfs show a device of their own in stat() and that of the disk, or another
 * of their own, in maps: those have major number 0, and there the inode has to do.
 */
static bool same_file(const struct stat *st, const struct map *m)
{
	return st->st_ino == m->ino && (st->st_dev == m->dev || !major(st->st_dev));
}

static int regular(int fd, struct stat *st)
{
	int err = fstat(fd, st) ? -errno : S_ISREG(st->st_mode) ? 0 : -ENOEXEC;

	if (!err)
		return fd;
	close(fd);
	return err;
}

/* What map_files leads to is what is mapped, whatever its number. */
int maps_locate(u32 pid, const struct map *m, struct stat *st)
{
	char buf[96];
	int fd;

	snprintf(buf, sizeof(buf), "/proc/%u/map_files/%llx-%llx", pid, m->start, m->end);
	fd = open(buf, O_PATH | O_CLOEXEC);
	if (fd >= 0)
		return regular(fd, st);
	fd = beneath_root(pid, m->path, O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return fd == -ENOENT || fd == -ENOTDIR ? -ESTALE : fd;
	if (fstat(fd, st) || !same_file(st, m)) {
		close(fd);
		return -ESTALE;
	}
	return regular(fd, st);
}

int root_locate(u32 pid, const char *path, struct stat *st)
{
	int fd = beneath_root(pid, path, O_PATH);

	return fd < 0 ? fd : regular(fd, st);
}

int root_folder(u32 pid, const char *path)
{
	return beneath_root(pid, path, O_RDONLY | O_DIRECTORY | O_NONBLOCK);
}

int located_open(int located)
{
	char buf[48];
	int fd;

	snprintf(buf, sizeof(buf), "/proc/self/fd/%d", located);
	fd = open(buf, O_RDONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}
