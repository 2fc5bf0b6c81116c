/* What applets there are: finding, listing and linking to them. */
#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <string.h>
#include <sys/auxv.h>
#include <sys/stat.h>
#include <unistd.h>

#include "applet.h"

/* From what people see down to the hardware, as in the diagram of the tools; the folders of cmd/.
 */
static const struct {
	const char *name, *heading;
} layers[] = {
	{ "general", "Any event" },
	{ "app", "Applications" },
	{ "runtime", "Language runtimes" },
	{ "userlib", "Libraries" },
	{ "syscall", "System calls and processes" },
	{ "fs", "File systems" },
	{ "block", "Block devices" },
	{ "net", "Network" },
	{ "sched", "Scheduler and CPUs" },
	{ "mem", "Memory" },
	{ "irq", "Interrupts" },
	{ "hw", "Hardware" },
	{ "misc", "Other" },
};

/* The section of the applets has no size but the distance of its ends. */
static size_t count(void)
{
	/* cppcheck-suppress comparePointers */
	return __stop_applets - __start_applets;
}

static size_t layer_of(const struct applet_entry *e)
{
	size_t i = 0;

	while (i < ARRAY_SIZE(layers) && strcmp(layers[i].name, e->layer))
		i++;
	return i;
}

static int by_layer(const void *a, const void *b)
{
	const struct applet_entry *x = *(const struct applet_entry *const *)a;
	const struct applet_entry *y = *(const struct applet_entry *const *)b;
	size_t i = layer_of(x), j = layer_of(y);

	return i != j ? (i > j) - (i < j) : strcmp(x->applet->name, y->applet->name);
}

const struct applet_entry *const *applet_sorted(void)
{
	static const struct applet_entry **sorted;
	size_t n = count();

	if (!sorted) {
		sorted = xcalloc(n + 1, sizeof(*sorted));
		for (size_t i = 0; i < n; i++)
			sorted[i] = __start_applets[i];
		qsort(sorted, n, sizeof(*sorted), by_layer);
	}
	return sorted;
}

const struct applet *applet_find(const char *name)
{
	for (size_t i = 0; i < count(); i++)
		if (!strcmp(__start_applets[i]->applet->name, name))
			return __start_applets[i]->applet;
	return NULL;
}

void applet_list(struct buf *b)
{
	const char *layer = "";

	for (const struct applet_entry *const *p = applet_sorted(); *p; p++) {
		const struct applet_entry *e = *p;
		size_t i = layer_of(e);

		if (strcmp(layer, e->layer))
			buf_fmt(b, "%s%s:\n", *layer ? "\n" : "",
				i < ARRAY_SIZE(layers) ? layers[i].heading : e->layer);
		layer = e->layer;
		buf_fmt(b, "  %-16s %s\n", e->applet->name, e->applet->summary);
	}
}

/* What `start` is the beginning of, if that is one applet only. */
static const char *completed(const char *start)
{
	const char *found = NULL;

	for (size_t i = 0; i < count(); i++) {
		const char *name = __start_applets[i]->applet->name;

		if (strncmp(name, start, strlen(start)))
			continue;
		if (found)
			return NULL;
		found = name;
	}
	return found;
}

const char *applet_suggest(const char *name)
{
	size_t len = strlen(name);
	int best = len < 4 ? 1 : len < 8 ? 2 : 3;
	const char *found = len > 1 ? completed(name) : NULL;

	if (found)
		return found;
	for (size_t i = 0; i < count(); i++) {
		const char *other = __start_applets[i]->applet->name;
		int d = edit_distance(name, other);

		if (d < best || (d == best && !found)) {
			best = d;
			found = other;
		}
	}
	return found;
}

/* The absolute path of this program. */
static const char *self(void)
{
	static char path[PATH_MAX];
	ssize_t n = readlink("/proc/self/exe", path, sizeof(path) - 1);

	if (n > 0)
		path[n] = '\0';
	else if (!realpath((const char *)getauxval(AT_EXECFN), path)) /* no /proc */
		die_err(errno, "cannot tell where this program is");
	if (access(path, X_OK))
		die_err(errno, "cannot tell where this program is: %s", path);
	return path;
}

void make_folders(const char *dir)
{
	char *path = xasprintf("%s", dir);

	for (char *p = path + 1; *path; p++) {
		char c = *p;

		if (c != '/' && c)
			continue;
		*p = '\0';
		if (mkdir(path, 0777) && errno != EEXIST && errno != EISDIR)
			die_err(errno, "cannot create %s", path);
		*p = c;
		if (!c)
			break;
	}
	free(path);
}

/* Whether `path` is a symlink that an earlier --install, of this or another bcctool, made. */
static bool ours(const char *path)
{
	char target[PATH_MAX];
	ssize_t n = readlink(path, target, sizeof(target) - 1);

	if (n < 0)
		return false;
	target[n] = '\0';
	return !strcmp(target, self()) || !strcmp(basename(target), "bcctool");
}

static int install(const char *dir, const char *name)
{
	char *path = xasprintf("%s/%s", dir, name), *new = xasprintf("%s/.%s.new", dir, name);
	struct stat st;
	int failed = 0;

	if (!lstat(path, &st) && !ours(path)) {
		warn("%s is not a link to bcctool: left as it is", path);
		failed = 1;
	} else if ((unlink(new) && errno != ENOENT) || symlink(self(), new) || rename(new, path)) {
		warn("cannot link %s: %s", path, strerror(errno));
		failed = 1;
	}
	free(path);
	free(new);
	return failed;
}

int applet_install(const char *dir)
{
	int failed = 0;

	make_folders(dir);
	for (const struct applet_entry *const *p = applet_sorted(); *p; p++)
		failed |= install(dir, (*p)->applet->name);
	return failed;
}
