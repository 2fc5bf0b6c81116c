#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "event.h"
#include "kcode.h"
#include "kernel.h"
#include "util.h"

/* One event of entries, one of returns, which only this set of sites has under these names. */
#define GROUP "bcctool"

struct events {
	char event[2][32];
	u32 active; /* calls of a function whose returns are followed at a time; 0: some ten */
};

/*
 * The kernel sets room aside for each: as many as it allows (KRETPROBE_MAXACTIVE_MAX of
 * kernel/trace/trace_kprobe.c), unless that were more than some megabytes together.
 */
#define ACTIVE_MAX 4096
#define ACTIVE_MIN 32
#define ACTIVE_ALL 65536

static u32 active_of(const struct attach *a)
{
	u32 returns = 0, each;

	for (u32 i = 0; i < a->sites->n; i++)
		returns += a->way[i] == ATTACH_EVENT && a->sites->at[i].kind == SPEC_RETURN;
	each = ACTIVE_ALL / (returns ?: 1);
	return each > ACTIVE_MAX ? ACTIVE_MAX : each < ACTIVE_MIN ? 0 : each;
}

static struct events events_of(const struct attach *a)
{
	struct events e = { .active = active_of(a) };

	for (int returns = 0; returns < 2; returns++) {
		char *name = e.event[returns];
		int n = snprintf(name, sizeof(e.event[0]), "%c%d", "pr"[returns], getpid());

		if (a->set)
			snprintf(name + n, sizeof(e.event[0]) - n, "_%u", a->set);
	}
	return e;
}

/* --- The end: a child that sees to it --- */

static void nap(void)
{
	nanosleep(&(struct timespec){ .tv_nsec = 10 * 1000000 }, NULL);
}

/* An event that is in use cannot go: whoever was killed may still be closing it. */
static void remove_events(int definitions, const struct events *events)
{
	char line[80];

	for (int i = 0; i < 2; i++) {
		int len = snprintf(line, sizeof(line), "-:" GROUP "/%s\n", events->event[i]);

		for (int tries = 0; tries < 1000; tries++) {
			if (write(definitions, line, len) == len || errno != EBUSY)
				break;
			nap();
		}
	}
}

/*
 * Each probe removed waits for RCU, unless the whole system is told to hurry: 0.02 s instead of
 * 6.6 s for 370 probes. The lock keeps two of us from taking the other's 1 for what it was before.
 */
static void remove_quickly(int definitions, const struct events *events)
{
	int hurry = open("/sys/kernel/rcu_expedited", O_RDWR | O_CLOEXEC);
	char was = '1';

	if (hurry >= 0) {
		flock(hurry, LOCK_EX);
		if (pread(hurry, &was, 1, 0) == 1 && was == '0' && pwrite(hurry, "1", 1, 0) != 1)
			was = '1';
	}
	remove_events(definitions, events);
	if (was == '0' && pwrite(hurry, "0", 1, 0) != 1)
		warn("cannot set /sys/kernel/rcu_expedited back to 0");
	if (hurry >= 0)
		close(hurry);
}

/*
 * Closes all others: whoever reads our output need not wait for this process, nor another watcher
 * for the end of its pipe, and of the events that it is to remove.
 */
static void keep_only(int *held, int *definitions)
{
	int null = open("/dev/null", O_RDWR);
	int a = fcntl(*held, F_DUPFD, 5), b = fcntl(*definitions, F_DUPFD, 5);

	for (int fd = 0; fd < 3; fd++)
		dup2(null, fd);
	*held = dup2(a, 3);
	*definitions = dup2(b, 4);
	closefrom(5);
}

/* Waits for the end of the parent, or for it to let go, then removes the events. */
static void __attribute__((noreturn)) watch(int held, int definitions, const struct events *events)
{
	char c;

	keep_only(&held, &definitions);
	setsid();
	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	while (read(held, &c, 1) < 0 && errno == EINTR)
		;
	remove_quickly(definitions, events);
	_exit(0);
}

static int start_watcher(struct attach *a, int definitions, const struct events *events)
{
	int hold[2];

	if (pipe2(hold, O_CLOEXEC))
		return -errno;
	a->watcher = fork();
	if (a->watcher == 0) {
		close(hold[1]);
		watch(hold[0], definitions, events);
	}
	close(hold[0]);
	if (a->watcher < 0) {
		close(hold[1]);
		return -errno;
	}
	a->hold = hold[1];
	return 0;
}

void event_remove(struct attach *a)
{
	if (a->hold < 0)
		return;
	close(a->hold);
	a->hold = -1;
	while (waitpid(a->watcher, NULL, 0) < 0 && errno == EINTR)
		;
}

/* --- The beginning --- */

/*
 * Where in a function its entry is counted. Right behind the instruction that ftrace may change
 * there a probe is a breakpoint or a jump: at it, ftrace would walk all its records for each (6 s
 * instead of 0.1 s to arm 370, and to disarm). Nothing has touched the arguments yet. But from
 * there the kernel cannot walk the stack: the address it is given is that behind the breakpoint,
 * after the first push, for what it knows.
 */
static const u32 entries[] = {
#ifdef __x86_64__
	5, /* nopl or call */
	9, /* endbr64 before it, with CONFIG_X86_KERNEL_IBT */
#endif
	0,
};

static int write_line(int definitions, const char *line, int len)
{
	return write(definitions, line, len) == len ? 0 : -errno;
}

static int define(int definitions, const struct events *events, const struct site *s, u32 offset)
{
	bool returns = s->kind == SPEC_RETURN;
	char line[512], type[16] = "p";
	int len;

	if (returns)
		snprintf(type, sizeof(type), events->active ? "r%u" : "r", events->active);
	len = snprintf(line, sizeof(line), "%s:" GROUP "/%s %s+%u\n", type, events->event[returns],
		       s->name, offset);
	return write_line(definitions, line, len);
}

static int undefine(int definitions, const struct events *events, const struct site *s, u32 offset)
{
	char line[512];
	int len = snprintf(line, sizeof(line), "-:" GROUP "/%s %s+%u\n",
			   events->event[s->kind == SPEC_RETURN], s->name, offset);

	return write_line(definitions, line, len);
}

/* At the first place that the kernel accepts. */
static int define_site(int definitions, const struct events *events, const struct site *s,
		       bool stacks, u32 *offset)
{
	int ret = -EINVAL;

	for (size_t i = stacks ? ARRAY_SIZE(entries) - 1 : 0; ret && i < ARRAY_SIZE(entries); i++) {
		*offset = s->kind == SPEC_RETURN ? 0 : entries[i];
		ret = define(definitions, events, s, *offset);
	}
	return ret;
}

/* The sites of the events, by name, and where their probes are. */
struct placed {
	struct place {
		const struct site *site;
		u64 address; /* 0: not known */
		u32 offset;  /* from the function's start */
	} * at;
	u32 n;
};

static int compare_places(const void *a, const void *b)
{
	const struct place *x = a, *y = b;

	return strcmp(x->site->name, y->site->name) ?: (int)x->site->kind - (int)y->site->kind;
}

/* A line of debugfs kprobes/list: "ADDRESS  k  NAME+OFFSET"; r for returns. */
static void read_place(struct placed *p, char *line)
{
	u64 address = strtoull(line, &line, 16);
	struct site site;
	char type, name[256];
	struct place *found;
	u32 offset;

	if (sscanf(line, " %c %255[^+]+%x", &type, name, &offset) != 3)
		return;
	site = (struct site){ .kind = type == 'r' ? SPEC_RETURN : SPEC_ENTRY, .name = name };
	found = bsearch(&(struct place){ &site }, p->at, p->n, sizeof(*p->at), compare_places);
	if (found && found->offset == offset) /* else it is somebody else's probe */
		found->address = address;
}

static int read_places(struct placed *p)
{
	int fd = openat(debugfs_dir(), "kprobes/list", O_RDONLY | O_CLOEXEC);
	char *text = fd >= 0 ? read_fd(fd, 64 << 20, NULL) : NULL;
	int ret = text ? 0 : -errno;

	if (fd >= 0)
		close(fd);
	for (char *line = text, *end; line && (end = strchr(line, '\n')); line = end + 1) {
		*end = '\0';
		read_place(p, line);
	}
	free(text);
	return ret;
}

/* What comes by there again in a loop is no call: such a probe goes to the very entry. */
static int leave_loops(struct placed *p, int definitions, const struct events *events)
{
	struct kcode code;
	int ret = 0;

	kcode_open(&code);
	for (struct place *at = p->at; !ret && at < p->at + p->n; at++) {
		if (!at->offset || !kcode_begins_loop(&code, at->address))
			continue;
		ret = undefine(definitions, events, at->site, at->offset);
		if (!ret)
			ret = define(definitions, events, at->site, 0);
		at->address -= at->offset;
	}
	kcode_close(&code);
	return ret;
}

/* Tells the program which address is which site's. */
static int tell_places(struct attach *a, const struct placed *p, struct buf *why)
{
	u32 found = 0;

	for (const struct place *at = p->at; at < p->at + p->n; at++) {
		u64 key = at->site->kind == SPEC_RETURN ? ~at->address : at->address;

		if (at->address)
			found += !bpf_map_update_elem(a->site_of, &key, &at->site->number, BPF_ANY);
	}
	a->attached += found;
	if (found == p->n)
		return 0;
	buf_fmt(why, "the kernel hides where %u of %u probes are: ", p->n - found, p->n);
	return -EPERM;
}

/* 0 if one at least is defined. */
static int define_all(const struct attach *a, struct placed *p, int definitions,
		      const struct events *events)
{
	int refused = -ENOENT;

	for (u32 i = 0; i < a->sites->n; i++) {
		struct place *at = &p->at[p->n];
		int err;

		if (a->way[i] != ATTACH_EVENT)
			continue;
		if (attach_is_over(a))
			return -EINTR;
		*at = (struct place){ .site = &a->sites->at[i] };
		err = define_site(definitions, events, at->site, a->stacks, &at->offset);
		if (err)
			refused = err;
		else
			p->n++;
	}
	qsort(p->at, p->n, sizeof(*p->at), compare_places);
	return p->n ? 0 : refused;
}

static int event_id(const char *event)
{
	char name[80];
	int id;

	snprintf(name, sizeof(name), GROUP "/%s", event);
	id = tracepoint_id(name);
	return id > 0 ? id : 0;
}

int event_create(struct attach *a, int ids[2], struct buf *why)
{
	static u32 sets;
	int definitions = openat(tracefs_dir(), "kprobe_events", O_WRONLY | O_APPEND | O_CLOEXEC);
	struct placed p = { .at = calloc(a->sites->n, sizeof(*p.at)) };
	int ret = definitions < 0 ? -errno : p.at ? 0 : -ENOMEM;
	struct events events;

	a->set = sets++;
	events = events_of(a);
	if (ret) {
		buf_str(why, "cannot open tracefs kprobe_events: ");
		free(p.at);
		return ret;
	}
	ret = start_watcher(a, definitions, &events);
	ret = ret ?: define_all(a, &p, definitions, &events);
	ret = ret ?: read_places(&p);
	ret = ret ?: leave_loops(&p, definitions, &events);
	ret = ret ?: tell_places(a, &p, why);
	for (int i = 0; i < 2; i++)
		ids[i] = event_id(events.event[i]);
	close(definitions);
	free(p.at);
	if (ret)
		event_remove(a);
	return ret;
}

/* kprobe_profile: a line "EVENT HITS MISSES" a probe, without its group. */
u64 event_missed(const struct attach *a)
{
	int fd = openat(tracefs_dir(), "kprobe_profile", O_RDONLY | O_CLOEXEC);
	char *text = fd >= 0 ? read_fd(fd, 64 << 20, NULL) : NULL, *rest = text, *line;
	struct events events = events_of(a);
	u64 sum = 0;

	while (text && (line = strsep(&rest, "\n"))) {
		unsigned long long hits, misses;
		char event[256];

		if (sscanf(line, " %255s %llu %llu", event, &hits, &misses) == 3 &&
		    (!strcmp(event, events.event[0]) || !strcmp(event, events.event[1])))
			sum += misses;
	}
	free(text);
	if (fd >= 0)
		close(fd);
	return sum;
}
