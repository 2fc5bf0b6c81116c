#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "jitmap.h"
#include "maps.h"
#include "perfmap.h"

/* A file that grows is not read more often, nor for more than a twentieth of the time. */
#define AGAIN_NS 100000000

struct jitmap {
	u32 pid;
	bool own_root; /* the process's root is ours */
	uid_t uid;
	int fd;
	struct stat st; /* when it was read */
	u64 again;
	struct perfmap *map;
	char path[32];
};

/* The last number of "NSpid:": that of the innermost namespace. */
static u32 inner_pid(u32 pid)
{
	char buf[4096], *line, *number;
	ssize_t len;
	int fd;

	snprintf(buf, sizeof(buf), "/proc/%u/status", pid);
	fd = open(buf, O_RDONLY | O_CLOEXEC);
	len = fd < 0 ? -1 : read(fd, buf, sizeof(buf) - 1);
	if (fd >= 0)
		close(fd);
	buf[len > 0 ? len : 0] = '\0';
	line = strstr(buf, "\nNSpid:");
	if (!line)
		return pid;
	line[1 + strcspn(line + 1, "\n")] = '\0';
	number = strrchr(line, '\t');
	return number ? strtoul(number, NULL, 10) : pid;
}

struct jitmap *jitmap_new(u32 pid)
{
	struct jitmap *j = calloc(1, sizeof(*j));
	struct stat process, root, own;
	char path[32];

	if (!j)
		return NULL;
	j->pid = pid;
	j->fd = -1;
	snprintf(j->path, sizeof(j->path), "/tmp/perf-%u.map", inner_pid(pid));
	snprintf(path, sizeof(path), "/proc/%u", pid);
	j->uid = stat(path, &process) ? 0 : process.st_uid;
	strcat(path, "/root");
	j->own_root = !stat(path, &root) && !stat("/", &own) && root.st_ino == own.st_ino &&
		      root.st_dev == own.st_dev;
	jitmap_look(j);
	return j;
}

void jitmap_free(struct jitmap *j)
{
	if (!j)
		return;
	if (j->fd >= 0)
		close(j->fd);
	perfmap_free(j->map);
	free(j);
}

void jitmap_look(struct jitmap *j)
{
	struct stat st;
	int located;

	if (j->fd >= 0)
		return;
	located = root_locate(j->pid, j->path, &st);
	if (located < 0 && j->own_root)
		located = root_locate(0, j->path, &st);
	if (located < 0)
		return;
	if (!st.st_uid || st.st_uid == j->uid)
		j->fd = located_open(located);
	close(located);
}

bool jitmap_there(const struct jitmap *j)
{
	return j->fd >= 0;
}

const char *jitmap_path(const struct jitmap *j)
{
	return j->path;
}

static bool grown(struct jitmap *j, struct stat *st)
{
	if (j->fd < 0 || fstat(j->fd, st))
		return false;
	return !j->map || st->st_size != j->st.st_size ||
	       st->st_mtim.tv_sec != j->st.st_mtim.tv_sec ||
	       st->st_mtim.tv_nsec != j->st.st_mtim.tv_nsec;
}

static void read_again(struct jitmap *j)
{
	u64 from = clock_mono(), now, pause;
	struct perfmap *map;
	struct stat st;

	if (from < j->again)
		return;
	jitmap_look(j);
	if (grown(j, &st) && !perfmap_load(&map, j->fd)) {
		perfmap_free(j->map);
		j->map = map;
		j->st = st;
	}
	now = clock_mono();
	pause = (now - from) * 20;
	j->again = now + (pause > AGAIN_NS ? pause : AGAIN_NS);
}

/* Also where there is a name: code is compiled again, and other code then takes its place. */
const char *jitmap_find(struct jitmap *j, u64 addr, u64 *offset)
{
	read_again(j);
	return j->map ? perfmap_find(j->map, addr, offset) : NULL;
}

size_t jitmap_memory(const struct jitmap *j)
{
	return sizeof(*j) + (j->map ? perfmap_memory(j->map) : 0);
}
