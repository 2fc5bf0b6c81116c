#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <unistd.h>
#include <linux/perf_event.h>
#include <linux/version.h>
#include <bpf/bpf.h>

#include "attach.h"
#include "event.h"
#include "kernel.h"
#include "util.h"

#define REFUSED 64 /* so many places left out, and it is not the places' fault */

#define FEW 4 /* functions that are quicker attached one by one than through tracefs */

/* linux/bpf.h of newer kernels than that of the build: attach type, and how links are made. */
#define TRACE_UPROBE_MULTI  48
#define UPROBE_MULTI_RETURN 1

#define ENOTSUPP 524 /* linux/errno.h: an instruction that it cannot run elsewhere */

struct uprobe_multi {
	u32 prog_fd, target_fd, attach_type, flags;
	u64 path, offsets, semaphores, cookies;
	u32 count, multi_flags, pid, unused;
};

static int link_uprobe_multi(struct uprobe_multi *m)
{
	int fd;

	m->attach_type = TRACE_UPROBE_MULTI;
	fd = syscall(SYS_bpf, BPF_LINK_CREATE, m, sizeof(*m));
	return fd < 0 ? -errno : fd;
}

static int load_nothing(enum bpf_attach_type type)
{
	LIBBPF_OPTS(bpf_prog_load_opts, opts, .expected_attach_type = type);
	struct bpf_insn nothing[] = { { .code = BPF_ALU64 | BPF_MOV | BPF_K },
				      { .code = BPF_JMP | BPF_EXIT } };

	return bpf_prog_load(BPF_PROG_TYPE_KPROBE, "probe", "GPL", nothing, 2, &opts);
}

/* Without FPROBE it is refused with EOPNOTSUPP, with it these arguments are. */
static bool have_kprobe_multi(void)
{
	int prog, link;

	if (kernel_release() < KERNEL_VERSION(5, 18, 0))
		return false;
	prog = load_nothing(BPF_TRACE_KPROBE_MULTI);
	if (prog < 0)
		return false;
	link = bpf_link_create(prog, 0, BPF_TRACE_KPROBE_MULTI, NULL);
	if (link >= 0)
		close(link);
	close(prog);
	return link < 0 && link != -EOPNOTSUPP;
}

/* A kernel that knows it looks at the path, and refuses a folder with EBADF. */
static bool have_uprobe_multi(void)
{
	u64 offset = 0;
	struct uprobe_multi m = { .path = (u64)(unsigned long)"/",
				  .offsets = (u64)(unsigned long)&offset,
				  .count = 1 };
	int prog = load_nothing(TRACE_UPROBE_MULTI), link;

	if (prog < 0)
		return false;
	m.prog_fd = prog;
	link = link_uprobe_multi(&m);
	if (link >= 0)
		close(link);
	close(prog);
	return link == -EBADF;
}

static bool is_return_probe(const struct site *s)
{
	return s->kind == SPEC_RETURN && !s->at_ret;
}

static bool is_kernel_function(const struct site *s)
{
	return !s->in && s->kind != SPEC_TRACEPOINT;
}

int attach_plan(struct attach *a, const struct sites *sites, u32 pid)
{
	enum attach_way many = ATTACH_PERF, user = ATTACH_PERF;
	u32 functions = 0, returns = 0, files = 0;
	bool multi;

	*a = (struct attach){ .sites = sites, .pid = pid, .hold = -1 };
	a->way = calloc(sites->n ?: 1, sizeof(*a->way));
	if (!a->way)
		return -ENOMEM;
	for (u32 i = 0; i < sites->n; i++) {
		functions += is_kernel_function(&sites->at[i]) && sites->at[i].traceable;
		returns += is_kernel_function(&sites->at[i]) && is_return_probe(&sites->at[i]);
		files += !!sites->at[i].in;
	}
	multi = (functions || returns) && have_kprobe_multi();
	if (functions && multi)
		many = ATTACH_MULTI;
	else if (functions > FEW)
		many = ATTACH_EVENT;
	if (files && have_uprobe_multi())
		user = ATTACH_UMULTI;
	for (u32 i = 0; i < sites->n; i++) {
		const struct site *s = &sites->at[i];

		a->way[i] = s->in                        ? user
			    : s->kind == SPEC_TRACEPOINT ? ATTACH_TRACEPOINT
			    : s->traceable               ? many
							 : ATTACH_PERF;
		if (!multi && a->way[i] == ATTACH_PERF && is_return_probe(s) && !s->in) {
			a->way[i] = ATTACH_EVENT;
			a->wanted |= 1u << ATTACH_PERF;
			a->spare = true;
		}
		a->wanted |= 1u << a->way[i];
	}
	return 0;
}

void attach_plan_raw(struct attach *a)
{
	u32 events = 0;

	for (u32 i = 0; i < a->sites->n; i++)
		events += a->way[i] == ATTACH_TRACEPOINT;
	if (events <= FEW)
		return;
	/* Those of system calls have no raw ones. */
	a->wanted &= ~(1u << ATTACH_TRACEPOINT);
	for (u32 i = 0; i < a->sites->n; i++) {
		if (a->way[i] == ATTACH_TRACEPOINT && strncmp(a->sites->at[i].name, "syscalls:", 9))
			a->way[i] = ATTACH_RAW;
		a->wanted |= 1u << a->way[i];
	}
}

u32 attach_slow(const struct attach *a)
{
	u32 n = 0;

	for (u32 i = 0; i < a->sites->n; i++)
		n += a->way[i] == ATTACH_EVENT || a->way[i] == ATTACH_PERF;
	return n;
}

bool attach_is_over(const struct attach *a)
{
	return a->over && a->over(a->over_arg);
}

void attach_type(enum attach_way way, enum bpf_prog_type *type, enum bpf_attach_type *attach)
{
	*type = way == ATTACH_TRACEPOINT ? BPF_PROG_TYPE_TRACEPOINT
		: way == ATTACH_RAW      ? BPF_PROG_TYPE_RAW_TRACEPOINT
					 : BPF_PROG_TYPE_KPROBE;
	*attach = way == ATTACH_MULTI ? BPF_TRACE_KPROBE_MULTI
		  : way == ATTACH_UMULTI
			  ? (enum bpf_attach_type)TRACE_UPROBE_MULTI /* newer than libbpf */
			  : 0;
}

static const char *const programs[ATTACH_WAYS] = {
	[ATTACH_MULTI] = "site_multi",   [ATTACH_EVENT] = "site_event",
	[ATTACH_PERF] = "site_perf",     [ATTACH_TRACEPOINT] = "site_tracepoint",
	[ATTACH_UMULTI] = "site_umulti", [ATTACH_RAW] = "site_raw",
};

void attach_choose(const struct attach *a, struct bpf_object *obj)
{
	u32 n = 1;

	for (int w = 0; w < ATTACH_WAYS; w++) {
		struct bpf_program *p = bpf_object__find_program_by_name(obj, programs[w]);

		if (!p)
			continue;
		bpf_program__set_autoload(p, a->wanted >> w & 1);
		bpf_program__set_autoattach(p, false);
		if (w == ATTACH_UMULTI)
			bpf_program__set_expected_attach_type(p, TRACE_UPROBE_MULTI);
	}
	for (u32 i = 0; i < a->sites->n; i++)
		n += a->way[i] == ATTACH_EVENT;
	bpf_map__set_max_entries(bpf_object__find_map_by_name(obj, "site_of"), n);
}

void attach_take(struct attach *a, struct bpf_object *obj)
{
	for (int w = 0; w < ATTACH_WAYS; w++) {
		struct bpf_program *p = bpf_object__find_program_by_name(obj, programs[w]);

		a->prog[w] = p ? bpf_program__fd(p) : -1;
	}
	a->site_of = bpf_object__find_map_fd_by_name(obj, "site_of");
	a->raw = bpf_object__find_program_by_name(obj, programs[ATTACH_RAW]);
}

static int add_link(struct attach *a, int fd)
{
	if (fd >= 0)
		a->links[a->nlinks++] = fd;
	return fd < 0 ? fd : 0;
}

/*
 * What the kernel runs for every place of its code that it changes. Probes there would fire dozens
 * of times a place while others are set and removed (seen: 12.8 s instead of 4.1 s to attach to all
 * functions, 6.6 s instead of 3.4 s to detach), so they come last and go first.
 */
static bool patches_code(const char *name)
{
	static const char *const patterns[] = {
		"inat_*",
		"insn_*",
		"aarch64_insn_*",
		"text_poke*",
		"__text_poke*",
		"perf_event_text_poke",
		"copy_from_kernel_nofault*",
		"__get_locked_pte",
		"walk_to_pmd",
		"__pte_offset_map*",
		"switch_mm_irqs_off",
		"switch_ldt",
		"flush_tlb_mm_range",
		"_raw_spin_*",
		"__rcu_read_*",
	};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (!fnmatch(patterns[i], name, 0))
			return true;
	return false;
}

/* Some sites as arrays, for one link: kernel functions, or of a file. */
struct batch {
	const struct file *in;
	bool returns;
	const char **names;
	u64 *offsets, *semaphores, *cookies;
	u32 n;
};

static bool batch_room(struct batch *b, u32 n)
{
	*b = (struct batch){
		.names = calloc(n, sizeof(*b->names)),
		.offsets = calloc(n, sizeof(*b->offsets)),
		.semaphores = calloc(n, sizeof(*b->semaphores)),
		.cookies = calloc(n, sizeof(*b->cookies)),
	};
	return b->names && b->offsets && b->semaphores && b->cookies;
}

static void batch_add(struct batch *b, const struct site *s)
{
	b->names[b->n] = s->name;
	b->offsets[b->n] = s->offset;
	b->semaphores[b->n] = s->semaphore;
	b->cookies[b->n++] = s->number;
}

static void batch_free(struct batch *b)
{
	free(b->names);
	free(b->offsets);
	free(b->semaphores);
	free(b->cookies);
}

static int link_functions(struct attach *a, const struct batch *b, u32 from, u32 n)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts);

	opts.kprobe_multi.flags = b->returns ? BPF_F_KPROBE_MULTI_RETURN : 0;
	opts.kprobe_multi.cnt = n;
	opts.kprobe_multi.syms = b->names + from;
	opts.kprobe_multi.cookies = b->cookies + from;
	return bpf_link_create(a->prog[ATTACH_MULTI], 0, BPF_TRACE_KPROBE_MULTI, &opts);
}

static void path_of(const struct file *f, char path[32])
{
	snprintf(path, 32, "/proc/self/fd/%d", f->library.fd);
}

static int link_file(struct attach *a, const struct batch *b, u32 from, u32 n)
{
	char path[32];
	struct uprobe_multi m = {
		.prog_fd = a->prog[ATTACH_UMULTI],
		.path = (u64)(unsigned long)path,
		.offsets = (u64)(unsigned long)(b->offsets + from),
		.semaphores = (u64)(unsigned long)(b->semaphores + from),
		.cookies = (u64)(unsigned long)(b->cookies + from),
		.count = n,
		.multi_flags = b->returns ? UPROBE_MULTI_RETURN : 0,
		.pid = a->pid,
	};

	path_of(b->in, path);
	return link_uprobe_multi(&m);
}

/*
 * One link for all. The kernel refuses all for one that it does not like, and does not say which:
 * then halves are tried, until those are alone that are left out.
 */
static int link_batch(struct attach *a, const struct batch *b, u32 from, u32 n)
{
	int ret = b->in ? link_file(a, b, from, n) : link_functions(a, b, from, n);

	if (ret >= 0)
		a->attached += n;
	if (ret >= 0 || ret == -EPERM || ret == -ENOMEM)
		return add_link(a, ret);
	if (n == 1) {
		a->refused = ret;
		return ++a->nrefused > REFUSED ? ret : 0;
	}
	ret = link_batch(a, b, from, n / 2);
	return ret ? ret : link_batch(a, b, from + n / 2, n - n / 2);
}

/* Kernel functions: early ones, then those of patches_code(); entries and returns apart. */
static int start_functions(struct attach *a)
{
	int ret = 0;

	for (int round = 0; !ret && round < 4; round++) {
		bool returns = !(round & 1), late = round & 2;
		struct batch b;

		if (!batch_room(&b, a->sites->n))
			ret = -ENOMEM;
		b.returns = returns;
		for (u32 i = 0; !ret && i < a->sites->n; i++) {
			const struct site *s = &a->sites->at[i];

			if (a->way[i] == ATTACH_MULTI && is_return_probe(s) == returns &&
			    patches_code(s->name) == late)
				batch_add(&b, s);
		}
		if (!ret && b.n)
			ret = link_batch(a, &b, 0, b.n);
		batch_free(&b);
	}
	return ret;
}

static int start_files(struct attach *a)
{
	int ret = 0;

	for (const struct file *f = a->sites->files; f; f = f->next)
		for (int returns = 1; !ret && returns >= 0; returns--) {
			struct batch b;

			if (!batch_room(&b, a->sites->n))
				ret = -ENOMEM;
			b.in = f;
			b.returns = returns;
			for (u32 i = 0; !ret && i < a->sites->n; i++) {
				const struct site *s = &a->sites->at[i];

				if (s->in == f && is_return_probe(s) == returns)
					batch_add(&b, s);
			}
			if (!ret && b.n)
				ret = link_batch(a, &b, 0, b.n);
			batch_free(&b);
		}
	return ret;
}

/* The link keeps the perf event. */
static int link_perf(struct attach *a, int prog, struct perf_event_attr *attr, u32 cookie, u32 pid)
{
	LIBBPF_OPTS(bpf_link_create_opts, opts, .perf_event.bpf_cookie = cookie);
	int fd, ret;

	attr->size = sizeof(*attr);
	attr->sample_period = 1;
	attr->wakeup_events = 1;
	fd = syscall(SYS_perf_event_open, attr, pid ? (int)pid : -1, pid ? -1 : 0, -1,
		     PERF_FLAG_FD_CLOEXEC);
	if (fd < 0)
		return -errno;
	ret = add_link(a, bpf_link_create(prog, fd, BPF_PERF_EVENT, &opts));
	close(fd);
	return ret;
}

/* Fields of config: /sys/bus/event_source/devices/{kprobe,uprobe}/format. */
static int start_perf(struct attach *a, const struct site *s)
{
	struct perf_event_attr attr = { .type = perf_type(s->in ? "uprobe" : "kprobe") };
	char path[32];

#ifdef __aarch64__
	if (s->offset % 4) /* no instruction begins there; other kernels know that */
		return -EILSEQ;
#endif
	attr.config = is_return_probe(s) | s->semaphore << 32;
	attr.config1 = (u64)(unsigned long)s->name;
	attr.config2 = s->offset;
	if (s->in) {
		path_of(s->in, path);
		attr.config1 = (u64)(unsigned long)path;
	}
	return link_perf(a, a->prog[ATTACH_PERF], &attr, s->number, s->in ? a->pid : 0);
}

static int start_tracepoint(struct attach *a, const struct site *s)
{
	struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT };
	char event[256];
	int id;

	snprintf(event, sizeof(event), "%s", s->name);
	event[strcspn(event, ":")] = '/';
	id = tracepoint_id(event);
	if (id < 0)
		return id;
	attr.config = id;
	return link_perf(a, a->prog[ATTACH_TRACEPOINT], &attr, s->number, 0);
}

/*
 * Raw tracepoints have no cookies (before 6.10): the number is put into a copy of the program, in
 * place of SITE_NUMBER (bpf/lib/site.bpf.h).
 */
#define SITE_NUMBER 0x517e0000

static int load_numbered(const struct bpf_program *raw, u32 number)
{
	size_t n = bpf_program__insn_cnt(raw);
	struct bpf_insn *insns = malloc(n * sizeof(*insns));
	int ret;

	if (!insns)
		return -ENOMEM;
	memcpy(insns, bpf_program__insns(raw), n * sizeof(*insns));
	for (size_t i = 0; i < n; i++)
		if (BPF_OP(insns[i].code) == BPF_MOV && insns[i].imm == SITE_NUMBER)
			insns[i].imm = number;
	ret = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, bpf_program__name(raw), "GPL", insns, n,
			    NULL);
	free(insns);
	return ret;
}

static int start_raw(struct attach *a, const struct site *s)
{
	int prog = load_numbered(a->raw, s->number), ret;

	if (prog < 0)
		return prog;
	ret = bpf_raw_tracepoint_open(strchr(s->name, ':') + 1, prog);
	close(prog);
	return add_link(a, ret);
}

static int start_events(struct attach *a, struct buf *why)
{
	int ids[2], ret = event_create(a, ids, why);

	for (int i = 1; !ret && i >= 0; i--) {
		struct perf_event_attr attr = { .type = PERF_TYPE_TRACEPOINT, .config = ids[i] };

		if (ids[i])
			ret = link_perf(a, a->prog[ATTACH_EVENT], &attr, 0, 0);
	}
	return ret;
}

static void close_links(struct attach *a)
{
	while (a->nlinks)
		close(a->links[--a->nlinks]);
}

/* tracefs is root's, and may hide where probes are. */
static void use_spare(struct attach *a, struct buf *why)
{
	close_links(a);
	event_remove(a);
	for (u32 i = 0; i < a->sites->n; i++)
		if (a->way[i] == ATTACH_EVENT)
			a->way[i] = ATTACH_PERF;
	a->attached = 0;
	why->len = 0;
}

/* Attaches those that have a link each; what the kernel refuses is left out. */
static int start_singles(struct attach *a)
{
	for (u32 i = 0; i < a->sites->n; i++) {
		const struct site *s = &a->sites->at[i];
		int err = a->way[i] == ATTACH_PERF         ? start_perf(a, s)
			  : a->way[i] == ATTACH_TRACEPOINT ? start_tracepoint(a, s)
			  : a->way[i] == ATTACH_RAW        ? start_raw(a, s)
							   : 1;

		if (err == -EMFILE || err == -ENOMEM || err == -EPERM)
			return err;
		if (attach_is_over(a))
			return -EINTR;
		if (err < 0)
			a->refused = err;
		a->attached += !err;
	}
	return 0;
}

/* A descriptor each is what the old ways cost. */
static void raise_limit(u32 n)
{
	struct rlimit r;

	if (getrlimit(RLIMIT_NOFILE, &r) || r.rlim_cur > n + 64)
		return;
	r.rlim_cur = n + 64;
	if (r.rlim_max < r.rlim_cur)
		r.rlim_max = r.rlim_cur;
	setrlimit(RLIMIT_NOFILE, &r);
}

const char *attach_error(int err)
{
	return err == -ENOTSUPP ? "cannot probe the instruction there"
	       : err == -EILSEQ ? "there is no instruction at this offset"
				: strerror(-err);
}

int attach_start(struct attach *a, struct buf *why)
{
	int ret = 0;

	a->links = calloc(a->sites->n + 8, sizeof(*a->links));
	if (!a->links)
		ret = -ENOMEM;
	raise_limit(a->sites->n);
	if (!ret && a->wanted >> ATTACH_EVENT & 1)
		ret = start_events(a, why);
	if (ret && ret != -EINTR && a->spare) {
		use_spare(a, why);
		ret = 0;
	}
	if (!ret)
		ret = start_singles(a);
	if (!ret && a->wanted >> ATTACH_UMULTI & 1)
		ret = start_files(a);
	if (!ret && a->wanted >> ATTACH_MULTI & 1)
		ret = start_functions(a);
	if (!ret && !a->attached)
		ret = a->refused;
	if (ret)
		buf_str(why, attach_error(ret));
	return ret;
}

/* bpf_link_info of 6.7 and later. */
struct link_info {
	u32 type, id, prog_id, unused;
	union {
		struct {
			u64 addresses;
			u32 count, flags;
			u64 missed;
		} multi;
		struct {
			u32 type, unused;
			u64 name;
			u32 name_len, offset;
			u64 address, missed;
		} perf;
		u64 room[16];
	};
};

#define LINK_PERF_EVENT   7
#define LINK_MULTI        8
#define PERF_IS_KPROBE    3 /* BPF_PERF_EVENT_KPROBE, and of returns */
#define PERF_IS_KRETPROBE 4

static u64 link_missed(int link)
{
	struct link_info info = {};
	struct {
		u32 fd, len;
		u64 info;
	} attr = { link, sizeof(info), (u64)(unsigned long)&info };

	if (syscall(SYS_bpf, BPF_OBJ_GET_INFO_BY_FD, &attr, sizeof(attr)))
		return 0;
	if (info.type == LINK_MULTI)
		return info.multi.missed;
	if (info.type == LINK_PERF_EVENT &&
	    (info.perf.type == PERF_IS_KPROBE || info.perf.type == PERF_IS_KRETPROBE))
		return info.perf.missed;
	return 0;
}

u64 attach_missed(const struct attach *a)
{
	u64 missed = a->hold >= 0 ? event_missed(a) : 0;

	for (u32 i = 0; i < a->nlinks; i++)
		missed += link_missed(a->links[i]);
	return missed;
}

/* The last first: see patches_code(). */
void attach_stop(struct attach *a)
{
	close_links(a);
	event_remove(a);
	free(a->links);
	free(a->way);
	a->links = NULL;
	a->way = NULL;
}
