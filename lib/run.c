#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>
#include <linux/capability.h>
#include <linux/perf_event.h>
#include <linux/version.h>
#include <bpf/bpf.h>

#include "applet.h"
#include "clock.h"
#include "kbtf.h"
#include "kernel.h"
#include "object.h"
#include "out.h"
#include "pictures.h"
#include "report.h"
#include "stacks.h"

static volatile sig_atomic_t interrupted;
static int wake[2] = { -1, -1 }; /* a pipe that signals write to, so that no sleep misses one */

static void on_signal(int sig)
{
	int err = errno;

	if (sig != SIGCHLD)
		interrupted = 1;
	if (write(wake[1], "", 1) < 0)
		interrupted = 1;
	errno = err;
}

/* The first Ctrl-C ends the run and lets it report; the second kills. */
static void catch_signals(void)
{
	struct sigaction sa = { .sa_handler = on_signal, .sa_flags = SA_RESETHAND };

	if (pipe2(wake, O_CLOEXEC | O_NONBLOCK))
		die_err(errno, "cannot make a pipe");
	sigaction(SIGINT, &sa, NULL);
	sigaction(SIGTERM, &sa, NULL);
	sigaction(SIGHUP, &sa, NULL);
	sa.sa_flags = SA_NOCLDSTOP;
	sigaction(SIGCHLD, &sa, NULL);
	signal(SIGPIPE, SIG_IGN); /* write(2) says EPIPE */
}

bool run_over(const struct run *run)
{
	static bool ended; /* the child is waited for once */

	if (run->child > 0 && !ended)
		ended = waitpid(run->child, NULL, WNOHANG) == run->child;
	return interrupted || ended || (run->deadline && clock_mono() >= run->deadline);
}

/* Sleeps until a signal, `until`, readable `fd` (if not -1), or nobody reads our output any more.
 */
void run_poll(const struct run *run, u64 until, int fd)
{
	struct pollfd p[] = { { wake[0], POLLIN, 0 }, { STDOUT_FILENO, 0, 0 }, { fd, POLLIN, 0 } };
	u64 now = clock_mono(), ns;
	struct timespec t;

	if (run->deadline && (!until || until > run->deadline))
		until = run->deadline;
	ns = !until ? 3600 * NSEC_PER_SEC : until > now ? until - now : 0;
	t = (struct timespec){ ns / NSEC_PER_SEC, ns % NSEC_PER_SEC };
	if (ppoll(p, fd < 0 ? 2 : 3, &t, NULL) > 0 && p[1].revents & POLLERR)
		interrupted = 1;
}

void run_sleep(struct run *run, u64 until)
{
	while (!run_over(run) && (!until || clock_mono() < until)) {
		u64 next = run->often ? clock_mono() + NSEC_PER_SEC / 50 : until;

		if (run->often)
			run->often(run);
		run_poll(run, until && until < next ? until : next, -1);
	}
}

bool run_wait(struct run *run)
{
	static u64 tick;
	static int rounds;

	tick = (tick ?: clock_start) + common.interval * NSEC_PER_SEC;
	run_sleep(run, common.interval ? tick : 0);
	rounds++;
	return !run_over(run) && common.interval && (!common.count || rounds < common.count);
}

int run_map(struct run *run, const char *name)
{
	int fd = bpf_object__find_map_fd_by_name(run->obj, name);

	if (fd < 0)
		die_err(fd, "no BPF map '%s'", name);
	return fd;
}

/* --exec: a child that waits for the pipe to close before it becomes the command. */
static int hold_command(struct run *run)
{
	int hold[2];
	char c;

	if (pipe2(hold, O_CLOEXEC))
		die_err(errno, "cannot make a pipe");
	run->child = fork();
	if (run->child < 0)
		die_err(errno, "cannot start '%s'", common.exec[0]);
	if (!run->child) {
		close(hold[1]);
		if (read(hold[0], &c, 1) != 1) /* bcctool gave up before the probes were live */
			_exit(127);
		signal(SIGPIPE, SIG_DFL);
		execvp(common.exec[0], common.exec);
		warn("cannot run '%s': %s", common.exec[0], strerror(errno));
		_exit(127);
	}
	close(hold[0]);
	common.filter.pids = (struct bcc_ids){ 1, { run->child } };
	common.filter.particular = true;
	return hold[1];
}

/* What libbpf last said, and which program it was about: shown only if the run cannot start. */
static char refused[64];

static int on_libbpf(enum libbpf_print_level level, const char *fmt, va_list ap)
{
	char line[512];
	va_list again;

	if (level == LIBBPF_DEBUG && !common.verbose) /* of which there are hundreds */
		return 0;
	va_copy(again, ap);
	vsnprintf(line, sizeof(line), fmt, again);
	va_end(again);
	if (strstr(line, "load failed"))
		sscanf(line, "libbpf: prog '%63[^']'", refused);
	if (common.verbose)
		vfprintf(stderr, fmt, ap);
	return level;
}

static int set_constants(struct run *run)
{
	const struct applet *a = run->applet;
	int err;

	err = object_set(run->obj, "filter", &common.filter, sizeof(common.filter));

	if (!err && a->conf)
		err = object_set(run->obj, "conf", a->conf, a->conf_size);
	return err;
}

/* A ring buffer of --buffer bytes, or perf buffers where the kernel has no ring buffer. */
static void size_events(struct run *run)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run->obj, "events");

	if (!map)
		return;
	if (kernel_release() < KERNEL_VERSION(5, 8, 0) || getenv("BCCTOOL_PERF_BUFFER")) {
		common.filter.perf_buffer = true;
		bpf_map__set_type(map, BPF_MAP_TYPE_PERF_EVENT_ARRAY);
		bpf_map__set_key_size(map, sizeof(int));
		bpf_map__set_value_size(map, sizeof(int));
		bpf_map__set_max_entries(map, 0);
	} else {
		bpf_map__set_max_entries(map, common.buffer ?: 4 * 1024 * 1024);
	}
}

/* --cgroupmap, --mntnsmap: takes a pinned map in place of ours, which is not made without one. */
static bool use_pinned(struct run *run, const char *name, const char *path, struct buf *reason)
{
	struct bpf_map *map = bpf_object__find_map_by_name(run->obj, name);
	int fd = path ? bpf_obj_get(path) : -1;

	if (!map)
		return true;
	if (!path) {
		bpf_map__set_autocreate(map, false);
		return true;
	}
	if (fd < 0 || bpf_map__reuse_fd(map, fd)) {
		buf_fmt(reason, "cannot use the pinned map '%s': %s", path, strerror(errno));
		return false;
	}
	close(fd);
	return true;
}

/* Why the kernel refused, after `before`, if that can be told. */
static bool explain(struct buf *reason, const char *before, int err)
{
	struct buf why = {};
	bool known = kernel_explain(&why, err, common.btf);

	if (known)
		buf_fmt(reason, "%s%.*s", before, (int)why.len, why.data);
	buf_free(&why);
	return known;
}

/* Which of the shared filters read kernel structs: bpf/lib/bcctool.bpf.h. */
static bool filter_is_typed(void)
{
	const struct bcc_filter *f = &common.filter;

	return f->ppid || f->cgroupmap || f->mntnsmap || (f->pidns && (f->pids.n || f->tids.n));
}

/* A probe has no candidate (left). */
static void say_missing(struct buf *b, const struct choices *c, int i)
{
	if (c->refused[i])
		buf_fmt(b, "the kernel refused every probe for: %s (--verbose shows its reasons)",
			c->probe[i].what);
	else
		buf_fmt(b, "this kernel has no probe for: %s", c->probe[i].what);
}

/* Of several functions for one stand-in the first that this kernel has. */
static void choose_stand_ins(const struct stand_in *s)
{
	char section[2][96];

	for (const char *chosen = ""; s->name; s++) {
		bool only = strcmp(chosen, s->name) && (!s[1].name || strcmp(s[1].name, s->name));

		snprintf(section[0], sizeof(section[0]), "fentry/%s", s->function);
		snprintf(section[1], sizeof(section[1]), "kprobe/%s", s->function);
		if (!strcmp(chosen, s->name) ||
		    (!only && !candidate_exists(section[0]) && !candidate_exists(section[1])))
			continue;
		object_stand_in(s->name, s->function);
		chosen = s->name;
	}
}

/* One attempt with the candidates that have not been refused yet. */
static enum verdict try_load(struct run *run, struct buf *reason)
{
	const struct applet *a = run->applet;
	struct choices *c = &run->choices;
	int err, btf_fd;

	run->obj = object_open(a->object ?: a->name, common.btf, &btf_fd);
	if (!run->obj)
		die_err(errno, "cannot open BPF object '%s'", a->object ?: a->name);
	size_events(run);
	if (!use_pinned(run, "cgroupmap", common.cgroupmap, reason) ||
	    !use_pinned(run, "mntnsmap", common.mntnsmap, reason))
		return PROBE_UNAVAILABLE;
	err = set_constants(run);
	if (err)
		die_err(err, "cannot configure BPF object '%s'", a->object ?: a->name);
	if (a->stand_ins)
		choose_stand_ins(*a->stand_ins);
	if (btf_fd >= 0 && a->untyped && !filter_is_typed() && !kbtf_none(btf_fd))
		candidates_choose(run->obj, a->probes, c, -1);
	else
		candidates_choose(run->obj, a->probes, c, btf_fd);
	for (int i = 0; i < c->n; i++)
		if (c->probe[i].verdict == PROBE_UNAVAILABLE) {
			say_missing(reason, c, i);
			explain(reason, ": ", 0);
			return PROBE_UNAVAILABLE;
		}
	if (a->run == run_hist)
		hist_prepare(run);
	if (bpf_object__find_map_by_name(run->obj, "stacks"))
		stacks_prepare(run);
	if (a->prepare)
		a->prepare(run);
	refused[0] = '\0';
	err = bpf_object__load(run->obj);
	if (btf_fd >= 0)
		close(btf_fd);
	if (!err)
		return c->verdict;
	if (refused[0] && candidates_refuse(a->probes, c, refused)) {
		bpf_object__close(run->obj);
		return try_load(run, reason);
	}
	if (explain(reason, "", err))
		return PROBE_UNAVAILABLE;
	buf_fmt(reason, "the kernel refused BPF %s%s%s%s%s: %s (--verbose shows its reasons)",
		refused[0] ? "program " : "object ", refused[0] ? refused : a->name,
		common.btf ? " with the types of '" : "", common.btf ?: "", common.btf ? "'" : "",
		strerror(-err));
	return PROBE_UNAVAILABLE;
}

enum verdict applet_probe(const struct applet *a, struct run *run, struct buf *reason)
{
	int err;

	*run = (struct run){ .applet = a };
	libbpf_set_print(on_libbpf);
	if (a->no_object && !a->attached)
		return PROBE_OK;
	if (!have_cap(CAP_BPF) || !have_cap(CAP_PERFMON)) {
		explain(reason, "", EPERM);
		return PROBE_UNAVAILABLE;
	}
	if (common.btf && (err = kbtf_check(common.btf))) {
		buf_fmt(reason, "cannot use BTF file '%s': %s", common.btf,
			err == -EINVAL ? "it has no valid BTF" : strerror(-err));
		return PROBE_UNAVAILABLE;
	}
	return a->no_object ? PROBE_OK : try_load(run, reason);
}

static struct bpf_link *attach_perf_event(struct bpf_program *prog, struct perf_event_attr *attr,
					  int cpu)
{
	int fd = syscall(SYS_perf_event_open, attr, -1, cpu, -1, PERF_FLAG_FD_CLOEXEC);
	struct bpf_link *link;

	if (fd < 0)
		return NULL;
	link = bpf_program__attach_perf_event(prog, fd);
	if (!link)
		close(fd);
	return link;
}

/* Not by libbpf, which wants tracefs mounted. */
static struct bpf_link *attach_tracepoint(struct bpf_program *prog, const char *event)
{
	struct perf_event_attr attr = { .size = sizeof(attr), .type = PERF_TYPE_TRACEPOINT };
	int id = tracepoint_id(event);

	if (id < 0) {
		errno = -id;
		return NULL;
	}
	attr.config = id;
	attr.sample_period = 1;
	attr.wakeup_events = 1;
	return attach_perf_event(prog, &attr, 0);
}

static struct bpf_link *attach(struct bpf_program *prog)
{
	const char *sec = object_section(prog), *function;

	if (*sec == '?')
		sec++;
	if (!strncmp(sec, "tracepoint/", 11))
		return attach_tracepoint(prog, sec + 11);
	if (sec != bpf_program__section_name(prog) && (function = strstr(sec, "probe/")))
		return bpf_program__attach_kprobe(prog, !strncmp(sec, "kret", 4), function + 6);
	if (bpf_program__type(prog) == BPF_PROG_TYPE_TRACING)
		return bpf_program__attach_trace(prog);
	return bpf_program__attach(prog);
}

static void add_link(struct run *run, struct bpf_link *link)
{
	if (run->nlinks == RUN_LINKS)
		die("too many probes: %d", run->nlinks);
	run->links[run->nlinks++] = link;
}

int run_perf(struct run *run, const char *prog, struct perf_event_attr *attr, int only)
{
	struct bpf_program *p = bpf_object__find_program_by_name(run->obj, prog);
	int cpus = libbpf_num_possible_cpus();

	for (int cpu = only < 0 ? 0 : only; cpu < (only < 0 ? cpus : only + 1); cpu++) {
		struct bpf_link *link = attach_perf_event(p, attr, cpu);

		if (link)
			add_link(run, link);
		else if (errno != ENODEV || only >= 0) /* an offline CPU */
			return -errno;
	}
	return 0;
}

void run_sample(struct run *run, const char *prog, u64 hz)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = PERF_TYPE_SOFTWARE,
		.config = PERF_COUNT_SW_CPU_CLOCK,
		.freq = 1,
		.sample_freq = hz,
	};
	int err = run_perf(run, prog, &attr, -1);

	if (err)
		die_err(err, "cannot sample the CPUs");
}

int run_counter(struct run *run, const char *prog, u32 type, u64 config, u64 period)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.config = config,
		.sample_period = period,
	};

	return run_perf(run, prog, &attr, -1);
}

bool run_has_counter(u32 type, u64 config)
{
	struct perf_event_attr attr = {
		.size = sizeof(attr),
		.type = type,
		.config = config,
		.exclude_kernel = 1,
	};
	int fd = syscall(SYS_perf_event_open, &attr, 0, -1, -1, PERF_FLAG_FD_CLOEXEC);
	bool lacking = fd < 0 && (errno == ENOENT || errno == EOPNOTSUPP || errno == ENODEV);

	if (fd >= 0)
		close(fd);
	return !lacking;
}

void run_detach(struct run *run)
{
	while (run->nlinks)
		bpf_link__destroy(run->links[--run->nlinks]);
	if (run->detach)
		run->detach(run);
	run->detach = NULL;
}

static bool sees_returns(const struct bpf_program *prog)
{
	const char *section = bpf_program__section_name(prog);

	section += *section == '?';
	return !strncmp(section, "fexit", 5) || !strncmp(section, "kretprobe", 9);
}

/* The program that could not be attached, NULL if all are. */
static struct bpf_program *attach_those(struct run *run, bool returns)
{
	struct bpf_program *prog;

	bpf_object__for_each_program(prog, run->obj) {
		struct bpf_link *link;

		if (!bpf_program__autoload(prog) || !bpf_program__autoattach(prog) ||
		    bpf_program__type(prog) == BPF_PROG_TYPE_PERF_EVENT ||
		    sees_returns(prog) != returns)
			continue;
		link = attach(prog);
		if (!link)
			return prog;
		add_link(run, link);
	}
	return NULL;
}

/*
 * Returns are attached first, and so detached last: what is seen to begin can be seen to end.
 */
static struct bpf_program *attach_all(struct run *run)
{
	struct bpf_program *failed;

	events_open(run);
	failed = attach_those(run, true);
	return failed ? failed : attach_those(run, false);
}

static void start(struct run *run, const struct applet *a)
{
	struct buf reason = {};
	struct bpf_program *failed;
	struct choices choices;

	if (applet_probe(a, run, &reason) == PROBE_UNAVAILABLE)
		die("%.*s", (int)reason.len, reason.data);
	while (!a->no_object && (failed = attach_all(run))) {
		const char *name = bpf_program__name(failed);
		int err = errno;

		run_detach(run);
		if (!candidates_refuse(a->probes, &run->choices, name)) {
			if (explain(&reason, "", err))
				die("cannot attach %s: %.*s", object_section(failed),
				    (int)reason.len, reason.data);
			die_err(err, "cannot attach %s", object_section(failed));
		}
		choices = run->choices;
		bpf_object__close(run->obj);
		*run = (struct run){ .applet = a, .choices = choices, .child = run->child };
		if (try_load(run, &reason) == PROBE_UNAVAILABLE)
			die("%.*s", (int)reason.len, reason.data);
	}
	if (a->attached)
		a->attached(run);
	for (int i = 0; i < run->choices.n; i++)
		if (run->choices.probe[i].verdict == PROBE_DEGRADED) {
			reason.len = 0;
			say_missing(&reason, &run->choices, i);
			warn("%.*s; lost: %s", (int)reason.len, reason.data,
			     run->choices.probe[i].lost);
		}
	buf_free(&reason);
}

/* Tells whoever started us that the probes are live: tests and benchmarks. */
static void say_ready(void)
{
	const char *fd = getenv("BCCTOOL_READY_FD");

	if (!fd)
		return;
	if (write(atoi(fd), "\n", 1) < 0)
		warn("cannot write to BCCTOOL_READY_FD %s", fd);
	close(atoi(fd));
}

static void give_up_caps(const struct applet *a)
{
	int keep[8], n = 0;

	if (a->keep_caps & KEEP_SYMBOLS) {
		keep[n++] = CAP_SYS_PTRACE;
		keep[n++] = CAP_DAC_READ_SEARCH;
		keep[n++] = CAP_SYSLOG;
		keep[n++] = CAP_CHECKPOINT_RESTORE; /* /proc/PID/map_files */
	}
	if (kernel_release() < KERNEL_VERSION(5, 19, 0)) { /* there even reading a map needs it */
		keep[n++] = CAP_BPF;
		if (!have_cap(CAP_BPF) || kernel_release() < KERNEL_VERSION(5, 8, 0))
			keep[n++] = CAP_SYS_ADMIN;
	}
	keep[n] = -1;
	drop_caps(keep);
}

static void say_banner(const struct applet *a)
{
	if (out_mode != OUT_TEXT)
		return;
	if (a->banner_text)
		a->banner_text(&out);
	else if (a->banner && !common.folded)
		buf_fmt(&out, "%s\n", a->banner);
	out_flush();
}

void report_begin(struct run *run)
{
	if (run->applet->report) {
		run->applet->report(run);
		return;
	}
	if (out_mode != OUT_TEXT)
		return;
	buf_chr(&out, '\n');
	if (common.timestamp) {
		clock_hms(&out, clock_mono());
		buf_chr(&out, '\n');
	}
}

/* The life of every applet: open, configure, choose, load, attach, run, report. The kernel cleans
 * up. */
int applet_run(const struct applet *a)
{
	struct run run = { .applet = a };
	int hold = -1;

	catch_signals();
	if (a->no_object && !a->attached) {
		a->run(&run);
		out_flush();
		return run.code;
	}
	pictures_open();
	if (common.exec)
		hold = hold_command(&run);

	int child = run.child;

	start(&run, a);
	run.child = child;
	if (stack_events(a->other && *a->use_other ? a->other : a))
		stacks_names(&run); /* of processes that may end as soon as we are ready */
	clock_start = clock_mono();
	say_ready();
	give_up_caps(a);
	if (a->other && *a->use_other)
		run.applet = a = a->other;
	say_banner(a);
	if (common.duration)
		run.deadline = clock_start + common.duration * NSEC_PER_SEC;
	if (hold >= 0 && write(hold, "", 1) == 1)
		close(hold);
	a->run(&run);
	run_detach(&run);
	report_losses(&run);
	out_flush();
	return run.code;
}
