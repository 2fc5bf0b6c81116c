#include <dirent.h>
#include <elf.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "elffunc.h"
#include "library.h"
#include "maps.h"
#include "util.h"

#define MAX_CACHE   (16 << 20)
#define MAX_SCRIPT  65536
#define MAX_ENTRIES 65536 /* of a folder */
#define MAX_FILES   4096  /* mapped by a process */
#define MAX_DEPTH   4     /* names that lead to names */

#if defined(__x86_64__)
#define MULTIARCH   "x86_64-linux-gnu"
#define CACHE_FLAGS 0x0303 /* FLAG_X8664_LIB64 | FLAG_ELF_LIBC6 */
#elif defined(__aarch64__)
#define MULTIARCH   "aarch64-linux-gnu"
#define CACHE_FLAGS 0x0a03 /* FLAG_AARCH64_LIB64 | FLAG_ELF_LIBC6 */
#else
#define MULTIARCH   "linux-gnu"
#define CACHE_FLAGS 0x0003
#endif

/* What one search is about. */
struct search {
	const char *name;
	u32 pid;
	struct buf *why;
	int depth;
	char *script; /* a program of that name that is none */
};

/* Opens what was located; -ENOEXEC with a reason if it is no ELF file and leads to none. */
static int take(struct library *l, struct search *s, int located, const struct stat *st,
		const char *path);
static int search(struct library *l, struct search *s);

bool library_is_named(const char *file, size_t len, const char *name)
{
	const char *rest, *end = file + len;
	size_t n = strlen(name);

	if (len == n && !memcmp(file, name, n))
		return true;
	if (!strcmp(name, "c") && len > 8 && !memcmp(file, "ld-musl-", 8))
		return true; /* musl's loader is its libc */
	if (len < n + 3 || memcmp(file, "lib", 3) || memcmp(file + 3, name, n))
		return false;
	rest = file + 3 + n;
	if (end - rest >= 2 && *rest == '-' && rest[1] >= '0' && rest[1] <= '9')
		rest = memmem(rest, end - rest, ".so", 3) ?: end;
	return end - rest >= 3 && !memcmp(rest, ".so", 3) && (end - rest == 3 || rest[3] == '.');
}

/* Entries of the format since glibc 2.2. A key and a value are offsets from the header's start. */
struct cache_entry {
	s32 flags;
	u32 key, value, osversion;
	u64 hwcap;
};

/* The header, past the old format that may stand before it. */
static const char *cache_header(const char *cache, size_t size)
{
	static const char old[] = "ld.so-1.7.0", new[] = "glibc-ld.so.cache1.1";
	size_t at = 0;
	u32 n;

	if (size >= 16 && !memcmp(cache, old, sizeof(old) - 1)) {
		memcpy(&n, cache + 12, sizeof(n));
		at = (16 + (size_t)n * 12 + 7) / 8 * 8;
	}
	if (at > size || size - at < 48 || memcmp(cache + at, new, sizeof(new) - 1))
		return NULL;
	return cache + at;
}

/* Libraries for newer CPUs stand in folders of their own (ld.so(8), glibc-hwcaps); -1: not for us.
 */
static int hwcaps_level(const char *path)
{
	const char *level = strstr(path, "/glibc-hwcaps/");

	if (!level)
		return 0;
	level += strlen("/glibc-hwcaps/");
#ifdef __x86_64__
	/* Of each level of the psABI what came last to processors. */
	if (!strncmp(level, "x86-64-v2/", 10))
		return __builtin_cpu_supports("sse4.2") && __builtin_cpu_supports("popcnt") ? 2
											    : -1;
	if (!strncmp(level, "x86-64-v3/", 10))
		return __builtin_cpu_supports("avx2") && __builtin_cpu_supports("bmi2") ? 3 : -1;
	if (!strncmp(level, "x86-64-v4/", 10))
		return __builtin_cpu_supports("avx512bw") && __builtin_cpu_supports("avx512vl")
			       ? 4
			       : -1;
#endif
	return -1;
}

struct choice {
	const char *key, *path;
	bool native;
	int level;
};

static bool better(const struct choice *a, const struct choice *b)
{
	int version;

	if (!b->path || a->native != b->native)
		return !b->path || a->native;
	version = strverscmp(a->key, b->key);
	return version ? version > 0 : a->level > b->level;
}

const char *ldcache_find(const char *cache, size_t size, const char *name)
{
	const char *header = cache_header(cache, size);
	struct choice best = {};
	struct cache_entry e;
	u64 n = 0;

	if (!header)
		return NULL;
	size -= header - cache;
	memcpy(&n, header + 20, sizeof(u32));
	if (n > (size - 48) / sizeof(e))
		n = (size - 48) / sizeof(e);
	for (u64 i = 0; i < n; i++) {
		struct choice c;

		memcpy(&e, header + 48 + i * sizeof(e), sizeof(e));
		if (e.key >= size || e.value >= size)
			continue;
		c = (struct choice){ header + e.key, header + e.value, e.flags == CACHE_FLAGS };
		if (!library_is_named(c.key, strnlen(c.key, 256), name) || *c.path != '/' ||
		    strnlen(c.path, 4096) == 4096)
			continue;
		c.level = hwcaps_level(c.path);
		if (c.level >= 0 && (!e.hwcap || c.level) && better(&c, &best))
			best = c;
	}
	return best.path;
}

static int say(struct search *s, int err, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));

/* The reason given last is the one that counts. */
static int say(struct search *s, int err, const char *fmt, ...)
{
	va_list ap;

	s->why->len = 0;
	va_start(ap, fmt);
	buf_vfmt(s->why, fmt, ap);
	va_end(ap);
	return err;
}

/* A path as we see it, or as the process does. */
static int take_path(struct library *l, struct search *s, const char *path)
{
	struct stat st;
	int fd;

	if (s->pid && *path == '/') {
		fd = root_locate(s->pid, path, &st);
	} else {
		fd = open(path, O_PATH | O_CLOEXEC);
		fd = fd < 0 ? -errno : fd;
		if (fd >= 0 && (fstat(fd, &st) || !S_ISREG(st.st_mode))) {
			close(fd);
			fd = -ENOEXEC;
		}
	}
	if (fd == -ENOEXEC)
		return say(s, fd, "'%s' is not a file", path);
	if (fd == -ESRCH)
		return say(s, fd, "no such process: %u", s->pid);
	if (fd == -ENOSYS)
		return say(
			s, fd,
			"this kernel cannot look for '%s' below the root of process %u "
			"safely (it takes Linux 5.6): give a path below /proc/%u/root without -p",
			path, s->pid, s->pid);
	if (fd < 0 && s->pid)
		return say(s, fd, "process %u has no '%s': %s", s->pid, path, strerror(-fd));
	if (fd < 0)
		return say(s, fd, "cannot open '%s': %s", path, strerror(-fd));
	return take(l, s, fd, &st, path);
}

/* The shared library that a linker script names first: "GROUP ( /lib/libc.so.6 ... )". */
static char *script_target(const char *text)
{
	static const char *const commands[] = { "GROUP", "INPUT" };

	for (size_t i = 0; i < ARRAY_SIZE(commands); i++) {
		const char *p = strstr(text, commands[i]), *end;

		p = p ? strchr(p, '(') : NULL;
		end = p ? strchr(p, ')') : NULL;
		while (end && p < end) {
			size_t len = strcspn(++p, " \t\n,()");

			if (memmem(p, len, ".so", 3))
				return strndup(p, len);
			if (len > 2 && !memcmp(p, "-l", 2))
				return strndup(p + 2, len - 2);
			p += len;
		}
	}
	return NULL;
}

/* What is no ELF file: a linker's script leads to one, others do not. */
static int take_text(struct library *l, struct search *s, int fd, const char *path)
{
	char *text = read_fd(fd, MAX_SCRIPT, NULL), *target;
	struct search next = *s;
	int err;

	target = text ? script_target(text) : NULL;
	if (target && s->depth < MAX_DEPTH) {
		next.name = target;
		next.depth++;
		err = search(l, &next);
	} else if (text && !strncmp(text, "#!", 2)) {
		err = say(s, -ENOEXEC, "'%s' is a script: probe its interpreter, %.*s", path,
			  (int)strcspn(text + 2 + strspn(text + 2, " "), " \n"),
			  text + 2 + strspn(text + 2, " "));
	} else {
		err = say(s, -ENOEXEC, "'%s' is not an ELF file", path);
	}
	free(target);
	free(text);
	return err;
}

static int take(struct library *l, struct search *s, int located, const struct stat *st,
		const char *path)
{
	char magic[SELFMAG];
	int fd = located_open(located), err;

	close(located);
	if (fd < 0)
		return say(s, fd, "cannot read '%s': %s", path, strerror(-fd));
	if (pread(fd, magic, sizeof(magic), 0) != sizeof(magic) || memcmp(magic, ELFMAG, SELFMAG)) {
		err = take_text(l, s, fd, path);
		close(fd);
		return err;
	}
	*l = (struct library){ xasprintf("%s", path), fd, st->st_dev, st->st_ino };
	return 0;
}

/* While the mappings of a process are gone through. */
struct mapped {
	u32 pid;
	const char *name; /* or all */
	int (*each)(struct library *l, void *arg);
	void *arg;
	struct {
		u64 dev, ino;
	} seen[MAX_FILES];
	u32 n;
	int err; /* of the last file that could not be opened */
	u32 unopened;
};

/* Files that were seen are told by what maps says: on overlayfs stat() has another device. */
static bool is_new(struct mapped *m, const struct map *map)
{
	for (u32 i = 0; i < m->n; i++)
		if (m->seen[i].ino == map->ino && m->seen[i].dev == map->dev)
			return false;
	if (m->n == MAX_FILES)
		return false;
	m->seen[m->n].dev = map->dev;
	m->seen[m->n++].ino = map->ino;
	return true;
}

static int try_map(const struct map *map, void *arg)
{
	static const char deleted[] = " (deleted)";
	struct mapped *m = arg;
	const char *base = strrchr(map->path, '/');
	size_t len = strlen(map->path), tail = sizeof(deleted) - 1;
	char magic[SELFMAG];
	struct library l;
	struct stat st;
	int located, fd;

	if (!map->ino || *map->path != '/')
		return 0;
	if (len > tail && !memcmp(map->path + len - tail, deleted, tail))
		len -= tail;
	if (m->name && !library_is_named(base + 1, map->path + len - base - 1, m->name))
		return 0;
	if (!is_new(m, map))
		return 0;
	located = maps_locate(m->pid, map, &st);
	fd = located < 0 ? located : located_open(located);
	if (located >= 0)
		close(located);
	if (fd < 0) {
		m->err = fd;
		m->unopened += fd != -ENOEXEC; /* a device, say */
		return 0;
	}
	if (pread(fd, magic, sizeof(magic), 0) != sizeof(magic) || memcmp(magic, ELFMAG, SELFMAG)) {
		close(fd);
		return 0;
	}
	l = (struct library){ strndup(map->path, len), fd, st.st_dev, st.st_ino };
	return m->each(&l, m->arg);
}

static int each_mapped(u32 pid, const char *name, int (*each)(struct library *l, void *arg),
		       void *arg, struct search *s)
{
	struct mapped *m = xcalloc(1, sizeof(*m));
	u32 unopened;
	int ret, err;

	m->pid = pid;
	m->name = name;
	m->each = each;
	m->arg = arg;
	ret = maps_each(pid, try_map, m);
	err = m->err;
	unopened = m->unopened;
	free(m);
	if (ret == -ESRCH)
		return say(s, ret, "no such process: %u", pid);
	if (ret < 0)
		return say(s, ret, "cannot see what process %u has mapped: %s", pid,
			   strerror(-ret));
	if (!ret && err && name)
		return say(s, err, "process %u has '%s' mapped, but its file cannot be opened: %s",
			   pid, name, strerror(-err));
	if (!ret && unopened && !name)
		say(s, 0, "%u of the files that process %u has mapped cannot be opened: %s",
		    unopened, pid, strerror(-err));
	return ret;
}

static int keep(struct library *l, void *arg)
{
	*(struct library *)arg = *l;
	return 1;
}

int library_mapped(u32 pid, int (*each)(struct library *l, void *arg), void *arg, struct buf *why)
{
	struct search s = { .why = why };

	why->len = 0;
	return each_mapped(pid, NULL, each, arg, &s);
}

static int try_cache(struct library *l, struct search *s)
{
	struct stat st;
	int located = root_locate(s->pid, "/etc/ld.so.cache", &st), err = -ENOENT, fd;
	const char *path;
	size_t size;
	char *cache;

	if (located < 0)
		return -ENOENT;
	fd = located_open(located);
	close(located);
	if (fd < 0)
		return -ENOENT;
	cache = read_fd(fd, MAX_CACHE, &size);
	close(fd);
	path = cache ? ldcache_find(cache, size, s->name) : NULL;
	if (path) {
		int found = root_locate(s->pid, path, &st);

		err = found < 0 ? -ENOENT : take(l, s, found, &st, path);
	}
	free(cache);
	return err;
}

/* The newest of the library's versions in a folder. */
static int try_folder(struct library *l, struct search *s, const char *folder)
{
	int fd = root_folder(s->pid, folder), err = -ENOENT;
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);
	char best[256] = "", *path;
	struct dirent *d;
	struct stat st;

	if (!dir) {
		if (fd >= 0)
			close(fd);
		return err;
	}
	for (int n = 0; n < MAX_ENTRIES && (d = readdir(dir)); n++)
		if (library_is_named(d->d_name, strlen(d->d_name), s->name) &&
		    (!*best || strverscmp(d->d_name, best) > 0))
			strcpy(best, d->d_name);
	closedir(dir);
	if (!*best)
		return err;
	path = xasprintf("%s/%s", folder, best);
	fd = root_locate(s->pid, path, &st);
	if (fd >= 0)
		err = take(l, s, fd, &st, path);
	free(path);
	return err;
}

static int try_folders(struct library *l, struct search *s)
{
	static const char *const folders[] = {
		"/lib/" MULTIARCH, "/usr/lib/" MULTIARCH, "/lib64",
		"/usr/lib64",      "/usr/local/lib64",    "/lib",
		"/usr/lib",        "/usr/local/lib",
	};
	int err = -ENOENT;

	for (size_t i = 0; i < ARRAY_SIZE(folders) && err == -ENOENT; i++)
		err = try_folder(l, s, folders[i]);
	return err;
}

/* A program; scripts of that name are gone past. */
static int try_programs(struct library *l, struct search *s)
{
	static const char usual[] = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
	const char *path = s->pid ? usual : getenv("PATH") ?: usual;
	int err = -ENOENT;

	while (err) {
		size_t len = strcspn(path, ":");
		char *file = xasprintf("%.*s%s%s", (int)len, path, len ? "/" : "", s->name);
		struct stat st;
		int fd = *file == '/' ? root_locate(s->pid, file, &st) : -ENOENT;

		if (fd >= 0 && st.st_mode & 0111)
			err = take(l, s, fd, &st, file);
		else if (fd >= 0)
			close(fd);
		free(file);
		if (!path[len])
			break;
		path += len + 1;
	}
	return err;
}

/*
 * Since glibc 2.34 libpthread, libdl, librt, libutil and libanl are part of libc; what is left of
 * their files holds nothing but symbols for programs that were linked before.
 */
static bool is_empty_shell(const struct library *l)
{
	static const char mark[] = "_version_placeholder";
	struct elffuncs fs = {};
	struct elf_file f;
	u32 marked = 0;

	if (!elf_open(&f, l->fd) && !elf_read_segments(&f) && !elffuncs_read(&fs, &f))
		for (u32 i = 0; i < fs.n; i++) {
			const char *name = elffunc_name(&fs, &fs.at[i]);
			size_t len = strlen(name);

			if (*name != '_')
				continue;
			marked +=
				len > sizeof(mark) && !strcmp(name + len + 1 - sizeof(mark), mark);
		}
	elffuncs_free(&fs);
	elf_close(&f);
	return marked;
}

static int search(struct library *l, struct search *s)
{
	static const char *const merged[] = { "pthread", "dl", "rt", "util", "anl" };
	struct search libc = { "c", s->pid, s->why, s->depth + 1 };
	int err = -ENOENT;

	if (strchr(s->name, '/'))
		return take_path(l, s, s->name);
	if (s->pid) {
		err = each_mapped(s->pid, s->name, keep, l, s);
		if (err < 0)
			return err;
		err = err ? 0 : -ENOENT;
	}
	if (err)
		err = try_cache(l, s);
	if (err == -ENOENT)
		err = try_folders(l, s);
	for (size_t i = 0; !err && i < ARRAY_SIZE(merged); i++)
		if (!strcmp(s->name, merged[i]) && is_empty_shell(l)) {
			library_close(l);
			return search(l, &libc);
		}
	if (err == -ENOENT)
		err = try_programs(l, s);
	return err;
}

int library_open(struct library *l, const char *name, u32 pid, struct buf *why)
{
	struct search s = { name, pid, why };
	struct stat st;
	int err;

	*l = (struct library){ .fd = -1 };
	if (!*name)
		return say(&s, -EINVAL, "the name of a library or program is missing");
	why->len = 0;
	err = search(l, &s);
	if (!err)
		why->len = 0; /* of what was gone past */
	if (err != -ENOENT || why->len)
		return err;
	if (pid)
		return say(&s, err,
			   "process %u has mapped no '%s', and below its root there is no "
			   "library or program of that name: give a path as it sees it",
			   pid, name);
	if (!stat(name, &st))
		return say(&s, err,
			   "no library or program '%s' is installed: if you mean the file "
			   "here, say './%s'",
			   name, name);
	return say(&s, err,
		   "no library or program '%s': it is not in /etc/ld.so.cache, nor in the "
		   "usual folders or $PATH; give its path",
		   name);
}

void library_close(struct library *l)
{
	free(l->path);
	if (l->fd >= 0)
		close(l->fd);
	*l = (struct library){ .fd = -1 };
}
