#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <linux/magic.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/vfs.h>

#include "buf.h"
#include "cgroup.h"
#include "util.h"

#define INITIAL_CGROUPNS 0xEFFFFFFBu /* PROC_CGROUP_INIT_INO of linux/proc_ns.h */
#define DEEPEST          64
#define HEX              "0123456789abcdef"
#define SHORT_ID         12 /* as `docker ps` shows them */

__attribute__((format(printf, 3, 4))) static int fail(char *why, int err, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(why, CGROUP_WHY, fmt, ap);
	va_end(ap);
	return err;
}

static u32 depth(const char *path)
{
	u32 n = 0;

	for (; *path; path++)
		n += *path == '/' && path[1] && path[1] != '/';
	return n;
}

/* mountinfo writes space, tab, newline and backslash as \ooo. */
static void unescape_octal(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		if (*s == '\\' && strspn(s + 1, "01234567") >= 3) {
			*to = (s[1] - '0') << 6 | (s[2] - '0') << 3 | (s[3] - '0');
			s += 3;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

/* Takes a line of mountinfo apart: "ID PARENT DEV ROOT POINT OPTIONS ... - TYPE SOURCE OPTIONS". */
static bool split_mount(char *line, char **root, char **point, char **type)
{
	char *dash = strstr(line, " - ");

	if (!dash)
		return false;
	*dash = '\0';
	*type = dash + 3;
	*strchrnul(*type, ' ') = '\0';
	for (int i = 0; i < 3; i++)
		strsep(&line, " ");
	*root = strsep(&line, " ");
	*point = strsep(&line, " ");
	return *root && *point;
}

int cgroup_mount(const char *mountinfo, struct cgroup_mount *mount, char why[CGROUP_WHY])
{
	char *text = xasprintf("%s", mountinfo), *next = text, *line, *root, *point, *type;
	bool old = false;

	*mount = (struct cgroup_mount){};
	while ((line = strsep(&next, "\n"))) {
		if (!split_mount(line, &root, &point, &type))
			continue;
		old |= !strcmp(type, "cgroup");
		/* Best is the mount of the whole hierarchy; else the first of a part of it. */
		if (strcmp(type, "cgroup2") || (mount->path && strcmp(root, "/")))
			continue;
		unescape_octal(point);
		free(mount->path);
		mount->path = xasprintf("%s", point);
		mount->level = strstr(root, "..") ? ~0u : depth(root);
		if (!mount->level)
			break;
	}
	free(text);
	if (!mount->path)
		return fail(why, -ENODEV, "%s",
			    old ? "this host has control groups of version 1 only, not cgroup2"
				: "no cgroup2 file system is mounted");
	return 0;
}

static int find_mount(struct cgroup_mount *mount, char why[CGROUP_WHY])
{
	char *text = read_file("/proc/self/mountinfo", 64 << 20, NULL);
	struct stat ns;
	int err;

	if (!text)
		return fail(why, -errno, "cannot read /proc/self/mountinfo: %s", strerror(errno));
	err = cgroup_mount(text, mount, why);
	free(text);
	/* In a namespace of its own the mount's root is not the root that BPF counts from. */
	if (!err && (stat("/proc/self/ns/cgroup", &ns) || ns.st_ino != INITIAL_CGROUPNS))
		mount->level = ~0u;
	return err;
}

/* -errno, or 0 if `path` is a folder of cgroup2. */
static int is_cgroup(const char *path)
{
	struct statfs fs;
	struct stat st;

	if (statfs(path, &fs) || stat(path, &st))
		return -errno;
	if (fs.f_type == CGROUP_SUPER_MAGIC)
		return -EXDEV;
	return fs.f_type == CGROUP2_SUPER_MAGIC && S_ISDIR(st.st_mode) ? 0 : -EINVAL;
}

/* The id is the 8 bytes of the file handle; since Linux 5.5 it is the inode number as well. */
static int id_of(const char *path, u64 *id)
{
	struct {
		struct file_handle head;
		u64 id;
	} handle = { .head.handle_bytes = sizeof(handle.id) };
	struct stat st;
	int mount;

	if (!name_to_handle_at(AT_FDCWD, path, &handle.head, &mount, 0)) {
		memcpy(id, handle.head.f_handle, sizeof(*id));
		return 0;
	}
	if (errno != EPERM && errno != ENOSYS) /* forbidden in some containers */
		return -errno;
	if (stat(path, &st))
		return -errno;
	*id = st.st_ino;
	return 0;
}

static int set_filter(const struct cgroup_mount *mount, const char *path, struct bcc_filter *f,
		      char why[CGROUP_WHY])
{
	char *real = realpath(path, NULL);
	size_t len = strlen(mount->path);
	int err = real ? id_of(real, &f->cgroup) : -errno;

	if (err) {
		free(real);
		return fail(why, err, "cannot read the ID of %s: %s", path, strerror(-err));
	}
	f->cgroup_level = ~0u;
	if (mount->level != ~0u && !strncmp(real, mount->path, len) &&
	    (!real[len] || real[len] == '/'))
		f->cgroup_level = mount->level + depth(real + len);
	free(real);
	return 0;
}

/* Undoes systemd's escaping of unit names: \x2d is a hyphen. */
static void unescape_hex(char *s)
{
	char *to = s;

	for (; *s; s++, to++) {
		if (starts_with(s, "\\x") && strspn(s + 2, HEX) >= 2) {
			char digits[3] = { s[2], s[3] };

			*to = strtoul(digits, NULL, 16);
			s += 3;
		} else {
			*to = *s;
		}
	}
	*to = '\0';
}

/*
 * What a folder's name says of its container, NULL if it is none's: "docker-ID.scope", ID,
 * "PODS:cri-containerd:ID", "lxc.payload.NAME", "machine-NAME.scope".
 */
static const char *container_of(char *folder)
{
	static const char scope[] = ".scope";
	size_t len = strlen(folder), end = sizeof(scope) - 1;
	char *last;

	if (strstr(folder, "conmon-") || starts_with(folder, "lxc.monitor."))
		return NULL; /* the container's keeper, not the container */
	if (starts_with(folder, "lxc.payload."))
		return folder + strlen("lxc.payload.");
	if (len > end && !strcmp(folder + len - end, scope))
		folder[len - end] = '\0';
	if (starts_with(folder, "machine-")) {
		unescape_hex(folder);
		return folder + strlen("machine-");
	}
	last = strrchr(folder, ':') ?: strrchr(folder, '-');
	return last && strspn(last + 1, HEX) >= SHORT_ID ? last + 1 : folder;
}

struct search {
	const char *container;
	bool id; /* `container` may be the beginning of an ID */
	char *path;
	bool exact; /* of what is in `path` */
	int found;
	struct buf names;
};

static void found(struct search *s, const char *path, const char *name, bool exact)
{
	if (s->exact && !exact)
		return;
	if (exact && !s->exact) { /* a name said in full is not ambiguous */
		s->found = 0;
		s->names.len = 0;
	}
	s->exact = exact;
	free(s->path);
	s->path = xasprintf("%s", path);
	if (s->found++ < 4)
		buf_fmt(&s->names, "%s%.*s", s->found > 1 ? ", " : "", exact ? 64 : SHORT_ID,
			exact ? strrchr(path, '/') + 1 : name);
}

static void search(struct search *s, const char *dir, int deep)
{
	size_t given = strlen(s->container);
	DIR *d = deep < DEEPEST ? opendir(dir) : NULL;
	struct dirent *e;

	while (d && (e = readdir(d))) {
		char folder[sizeof(e->d_name)], *path;
		const char *name;

		if (e->d_type != DT_DIR || e->d_name[0] == '.')
			continue;
		memcpy(folder, e->d_name, sizeof(folder));
		name = container_of(folder);
		path = xasprintf("%s/%s", dir, e->d_name);
		if (!strcmp(e->d_name, s->container) || (name && !strcmp(name, s->container)))
			found(s, path, name ?: e->d_name, true);
		else if (s->id && name && strspn(name, HEX) >= SHORT_ID &&
			 !strncmp(name, s->container, given))
			found(s, path, name, false);
		else
			search(s, path, deep + 1);
		free(path);
	}
	if (d)
		closedir(d);
}

int cgroup_container(const char *root, const char *container, char **path, char why[CGROUP_WHY])
{
	struct search s = { .container = container };
	size_t len = strlen(container);
	int err = 0;

	if (!len || strchr(container, '/'))
		return fail(why, -EINVAL, "not a container's ID or name: %s",
			    len ? container : "''");
	s.id = len >= 4 && strspn(container, HEX) == len;
	search(&s, root, 0);
	if (!s.found)
		err = fail(why, -ENOENT, "no container %s among the control groups below %s",
			   container, root);
	else if (s.found > 1)
		err = fail(why, -ENOTUNIQ, "%s may be any of %.*s%s", container, (int)s.names.len,
			   s.names.data, s.found > 4 ? ", ..." : "");
	buf_free(&s.names);
	if (err) {
		free(s.path);
		s.path = NULL;
	}
	*path = s.path;
	return err;
}

/* As a path of the file system or, as /proc/PID/cgroup has it, from the root of cgroup2. */
static int find_path(const struct cgroup_mount *mount, const char *given, char **path,
		     char why[CGROUP_WHY])
{
	int err = *given == '/' ? is_cgroup(given) : -ENOENT;

	if (!err) {
		*path = xasprintf("%s", given);
		return 0;
	}
	*path = xasprintf("%s/%s", mount->path, given);
	if (*given && !is_cgroup(*path))
		return 0;
	free(*path);
	*path = NULL;
	if (err == -EXDEV)
		return fail(why, err, "a control group of version 1, not of cgroup2: %s", given);
	if (err != -ENOENT && err != -EINVAL)
		return fail(why, err, "cannot read %s: %s", given, strerror(-err));
	return fail(why, err, "no such control group below %s: %s", mount->path,
		    *given ? given : "''");
}

int cgroup_resolve(const char *path, const char *container, struct bcc_filter *f,
		   char why[CGROUP_WHY])
{
	struct cgroup_mount mount;
	char *folder = NULL;
	int err = find_mount(&mount, why);

	if (err)
		return err;
	err = path ? find_path(&mount, path, &folder, why)
		   : cgroup_container(mount.path, container, &folder, why);
	if (!err)
		err = set_filter(&mount, folder, f, why);
	free(folder);
	free(mount.path);
	return err;
}
