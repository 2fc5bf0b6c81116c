#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <bpf/bpf.h>

#include "kernel.h"
#include "program.h"
#include "util.h"

#define SAVED_THREADS 10240     /* in a function at once, of which entries are remembered */
#define SAVED_BYTES   (8 << 20) /* for all of them: fewer, if the values are long */
#define SAVED_VALUE   4096      /* of a struct's bytes */
#define LOG_SIZE      (256 * 1024)

/* What an entry leaves for the return: faults, when, and the values of $entry(). */
#define SAVED_TIME   8
#define SAVED_VALUES 16

/* --- A run --- */

int programs_map(struct programs *s, int fd)
{
	s->maps = xrealloc(s->maps, (s->nmaps + 1) * sizeof(*s->maps));
	s->maps[s->nmaps] = fd;
	return s->nmaps++;
}

static void find_pid_namespace(struct programs *s)
{
	struct stat st;

	if (stat("/proc/self/ns/pid", &st))
		return;
	s->pidns_dev = st.st_dev;
	s->pidns_ino = st.st_ino;
}

int programs_init(struct programs *s, const char *btf)
{
	int err = expr_types_load(&s->types, btf);

	if (err && !btf)
		err = expr_types_none(&s->types);
	if (s->filter && s->filter->pidns)
		find_pid_namespace(s);
	for (int kind = 0; kind < LOST_KINDS; kind++)
		s->lost[kind] = programs_map(s, -1);
	return err;
}

void programs_free(struct programs *s)
{
	for (int i = 0; i < s->nmaps; i++)
		if (s->maps[i] >= 0)
			close(s->maps[i]);
	free(s->maps);
	expr_types_free(s->types);
	expr_macros_free(s->macros);
	free(s->module);
	*s = (struct programs){ 0 };
}

/* The maps of losses, made when the first program is loaded. */
static int make_loss_maps(struct programs *s)
{
	for (int kind = 0; kind < LOST_KINDS; kind++) {
		int *fd = &s->maps[s->lost[kind]];

		if (*fd < 0)
			*fd = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "lost", sizeof(u32),
					     sizeof(u64), 1, NULL);
		if (*fd < 0)
			return *fd;
	}
	return 0;
}

u64 programs_lost(const struct programs *s, enum bcc_loss kind)
{
	int fd = s->maps[s->lost[kind]], cpus = libbpf_num_possible_cpus();
	u64 sum = 0, *each;
	u32 zero = 0;

	if (fd < 0)
		return 0;
	each = xcalloc(cpus, sizeof(*each));
	if (!bpf_map_lookup_elem(fd, &zero, each))
		for (int i = 0; i < cpus; i++)
			sum += each[i];
	free(each);
	return sum;
}

/* --- The text --- */

static int name_error(struct expr_error *err, const struct spec_error *from, int code)
{
	*err = (struct expr_error){ .pos = from->at, .len = 1 };
	snprintf(err->text, sizeof(err->text), "%s", from->text);
	return code;
}

static int complain(struct expr_error *err, u32 pos, u32 len, int code, const char *text)
{
	*err = (struct expr_error){ .pos = pos, .len = len };
	snprintf(err->text, sizeof(err->text), "%s", text);
	return code;
}

/* "(int (*call)(void), u64 n)": parentheses may be nested. */
static int parse_signature(struct program *p, struct expr_error *err)
{
	const char *text = p->text;
	u32 start = p->spec.end, end = start;
	int depth = 0;

	p->end = start;
	if (text[start] != '(')
		return 0;
	do {
		depth += (text[end] == '(') - (text[end] == ')');
		if (!text[end])
			return complain(err, start, 1, -EINVAL,
					"the closing parenthesis of the signature is missing");
		end++;
	} while (depth);
	p->end = end;
	p->signature = (struct expr_source){ text, start + 1, end - 1 };
	for (u32 i = start + 1; i < end - 1; i++)
		p->has_signature |= text[i] != ' ' && text[i] != '\t' && text[i] != '\n';
	return 0;
}

int program_parse(struct program *p, const char *text, struct expr_error *err)
{
	struct spec_error wrong;
	int ret;

	*p = (struct program){ .text = text };
	ret = spec_parse(&p->spec, text, false, &wrong);
	if (ret)
		return ret == -EINVAL ? name_error(err, &wrong, ret) : ret;
	ret = parse_signature(p, err);
	if (ret)
		spec_free(&p->spec);
	return ret;
}

static void shape_free(struct shape *s)
{
	free(s->sites.at);
	free(s->names);
	free(s->fields);
	expr_prog_free(s->code);
}

void program_free(struct program *p)
{
	for (u32 i = 0; i < p->nshapes; i++)
		shape_free(&p->shapes[i]);
	shape_free(&p->entry);
	for (int i = 0; i < p->loaded.n; i++)
		close(p->loaded.fd[i]);
	free(p->loaded.fd);
	free(p->shapes);
	sites_free(&p->sites);
	sites_free(&p->entry_sites);
	spec_free(&p->spec);
	*p = (struct program){ 0 };
}

/* --- What is known at the places --- */

static bool is_function(const struct program *p)
{
	return p->spec.kind == SPEC_ENTRY || p->spec.kind == SPEC_RETURN;
}

static bool in_kernel(const struct program *p)
{
	return p->spec.kind == SPEC_TRACEPOINT || (is_function(p) && !*p->spec.library);
}

static struct expr_scope base_scope(const struct programs *s, const struct program *p)
{
	return (struct expr_scope){
		.types = s->types,
		.space = in_kernel(p) ? EXPR_SPACE_ANY : EXPR_SPACE_USER,
		.macros = s->macros,
		.pidns_dev = s->pidns_dev,
		.pidns_ino = s->pidns_ino,
	};
}

struct in_module {
	const char *function;
	char module[64];
};

/* A line of /proc/kallsyms: "ADDRESS TYPE NAME\t[MODULE]". */
static bool names_module(struct in_module *m, const char *line)
{
	char name[256];

	return sscanf(line, "%*s %*c %255s [%63[^]]", name, m->module) == 2 &&
	       !strcmp(name, m->function);
}

/* Adds the types of the module that has the function; one module's can be added in a run. */
static bool add_module(struct programs *s, const char *function)
{
	struct in_module m = { .function = function };
	FILE *f = s->module ? NULL : fopen("/proc/kallsyms", "re");
	char line[512];
	bool found = false;

	while (f && !found && fgets(line, sizeof(line), f))
		found = names_module(&m, line);
	if (f)
		fclose(f);
	if (!found || expr_types_module(s->types, m.module))
		return false;
	s->module = xasprintf("%s", m.module);
	return true;
}

/* Its parameters and what it returns, by BTF; -ENOENT. Of a pattern nothing is known. */
static int function_types(struct programs *s, const struct program *p, struct expr_name *names,
			  const struct expr_type **ret)
{
	const char *name = p->spec.name;
	int n;

	if (*p->spec.library || p->spec.match != MATCH_EXACT)
		return -ENOENT;
	n = expr_function(s->types, name, names, EXPR_NAMES_MAX, ret);
	if (n < 0 && add_module(s, name))
		n = expr_function(s->types, name, names, EXPR_NAMES_MAX, ret);
	return n;
}

/* The parameters at the entry: by the signature, else BTF; and arg1 to arg6. */
static int function_names(struct programs *s, struct program *p, struct shape *entry,
			  struct expr_error *err)
{
	struct expr_name *names = xcalloc(EXPR_NAMES_MAX + EXPR_ARGS, sizeof(*names));
	const struct expr_type *ret = NULL;
	int known = function_types(s, p, names, &ret), n = known < 0 ? 0 : known;

	entry->names = names;
	if (p->has_signature) {
		n = expr_signature(s->types, p->signature, names, EXPR_NAMES_MAX, err);
		if (n < 0)
			return -EINVAL;
	}
	if (p->spec.offset) /* the registers have moved on; BTF knows nothing of it */
		n = p->has_signature ? n : 0;
	if (!expr_place_args(NULL, names, n)) {
		if (p->has_signature)
			return complain(err, p->signature.start,
					p->signature.end - p->signature.start, -EINVAL,
					"one of these is passed in a way that is not known here");
		n = 0;
	}
	n += expr_args(s->types, NULL, names + n);
	entry->scope = base_scope(s, p);
	entry->scope.names = names;
	entry->scope.nnames = n;
	/* Void is known as such: it has no value to be used. */
	if (known >= 0 && !ret)
		ret = expr_type_parse(s->types, expr_source("void"), err);
	entry->retval = (struct expr_name){ .name = "$retval",
					    .type = ret ?: expr_type_int(s->types, 8, true),
					    .place = expr_place_ret(NULL) };
	return 0;
}

static struct shape *add_shape(struct program *p)
{
	p->shapes = xrealloc(p->shapes, (p->nshapes + 1) * sizeof(*p->shapes));
	p->shapes[p->nshapes] = (struct shape){ 0 };
	return &p->shapes[p->nshapes++];
}

/* The shape has some of the sites; those are numbered anew. */
static void add_site(struct shape *shape, const struct sites *all, const struct site *site)
{
	struct sites *s = &shape->sites;

	s->files = all->files;
	s->at = xrealloc(s->at, (s->n + 1) * sizeof(*s->at));
	s->at[s->n] = *site;
	s->at[s->n].number = s->n;
	s->n++;
}

static int resolve_function(struct programs *s, struct program *p, struct expr_error *err)
{
	struct shape *shape = add_shape(p), *entry;
	int ret;

	for (u32 i = 0; i < p->sites.n; i++)
		add_site(shape, &p->sites, &p->sites.at[i]);
	entry = p->spec.kind == SPEC_RETURN ? &p->entry : shape;
	ret = function_names(s, p, entry, err);
	if (ret || entry == shape)
		return ret;
	shape->scope = base_scope(s, p);
	shape->retval = entry->retval;
	shape->scope.retval = &p->entry.retval;
	shape->scope.gone = p->entry.scope.names;
	shape->scope.ngone = p->entry.scope.nnames;
	return 0;
}

/* "category:event" */
static char *read_format(const char *name)
{
	char *path = xasprintf("events/%s/format", name), *text;
	int fd;

	path[strcspn(path, ":")] = '/';
	fd = openat(tracefs_dir(), path, O_RDONLY | O_CLOEXEC);
	free(path);
	if (fd < 0)
		return NULL;
	text = read_fd(fd, 1 << 20, NULL);
	close(fd);
	return text;
}

static int resolve_tracepoints(struct programs *s, struct program *p, struct expr_error *err)
{
	for (u32 i = 0; i < p->sites.n; i++) {
		char *format = read_format(p->sites.at[i].name);
		struct shape *shape = add_shape(p);
		int n;

		if (!format)
			return complain(err, p->spec.name_at, 1, -errno,
					"cannot read the format of the tracepoint");
		add_site(shape, &p->sites, &p->sites.at[i]);
		shape->fields = xcalloc(EXPR_NAMES_MAX, sizeof(*shape->fields));
		n = expr_tracepoint(s->types, format, shape->fields, EXPR_NAMES_MAX);
		free(format);
		shape->scope = base_scope(s, p);
		shape->scope.fields = shape->fields;
		shape->scope.nfields = n > 0 ? n : 0;
	}
	return 0;
}

static bool same_args(const struct site *a, const struct site *b)
{
	return a->args->n == b->args->n &&
	       !memcmp(a->args->arg, b->args->arg, a->args->n * sizeof(a->args->arg[0]));
}

/* arg1 ..., as many as it has; or by their names in the signature, and their types there. */
static int usdt_names(struct programs *s, struct program *p, struct shape *shape,
		      struct expr_error *err)
{
	static const char *const called[] = { "arg1", "arg2", "arg3", "arg4",  "arg5",  "arg6",
					      "arg7", "arg8", "arg9", "arg10", "arg11", "arg12" };
	const struct site_args *args = shape->sites.at[0].args;
	struct expr_name *given = xcalloc(EXPR_NAMES_MAX, sizeof(*given));
	int n = 0, named = 0;

	shape->names = xcalloc(2 * ARRAY_SIZE(called), sizeof(*shape->names));
	if (p->has_signature)
		named = expr_signature(s->types, p->signature, given, EXPR_NAMES_MAX, err);
	for (u32 i = 0; i < args->n && i < ARRAY_SIZE(called); i++) {
		struct expr_name name = { .name = called[i] };

		if (args->arg[i].why)
			continue;
		expr_operand(s->types, &args->arg[i].at, &name);
		shape->names[n++] = name;
		if ((int)i < named) {
			name.name = given[i].name;
			name.type = given[i].type;
			shape->names[n++] = name;
		}
	}
	free(given);
	shape->scope = base_scope(s, p);
	shape->scope.names = shape->names;
	shape->scope.nnames = n;
	return named < 0 ? -EINVAL : 0;
}

static int resolve_usdt(struct programs *s, struct program *p, struct expr_error *err)
{
	for (u32 i = 0; i < p->sites.n; i++) {
		const struct site *site = &p->sites.at[i];
		struct shape *shape = NULL;

		for (u32 j = 0; !shape && j < p->nshapes; j++)
			if (same_args(p->shapes[j].sites.at, site))
				shape = &p->shapes[j];
		add_site(shape ?: add_shape(p), &p->sites, site);
	}
	for (u32 i = 0; i < p->nshapes; i++) {
		int ret = usdt_names(s, p, &p->shapes[i], err);

		if (ret)
			return ret;
	}
	return 0;
}

static int find_sites(const struct programs *s, const struct program *p, enum spec_kind kind,
		      bool dry, struct sites *sites, struct expr_error *err)
{
	struct spec spec = p->spec;
	struct spec_error wrong;
	int ret;

	spec.kind = kind;
	if (dry && is_function(p) && in_kernel(p))
		return sites_new(sites, kind, spec.name) ? 0 : -ENOMEM;
	ret = sites_add(sites, &spec, s->pid, &wrong);
	return ret ? name_error(err, &wrong, ret) : 0;
}

int program_resolve(struct programs *s, struct program *p, bool dry, struct expr_error *err)
{
	int ret = find_sites(s, p, p->spec.kind, dry, &p->sites, err);

	if (ret)
		return ret;
	p->record = programs_map(s, -1);
	switch (p->spec.kind) {
	case SPEC_TRACEPOINT: return resolve_tracepoints(s, p, err);
	case SPEC_USDT: return resolve_usdt(s, p, err);
	default: return resolve_function(s, p, err);
	}
}

/* --- What the entry has to save --- */

static bool same_source(struct expr_source a, struct expr_source b)
{
	return a.end - a.start == b.end - b.start &&
	       !memcmp(a.text + a.start, b.text + b.start, a.end - a.start);
}

static bool is_noted(const struct program *p, struct expr_source source)
{
	for (int i = 0; i < p->nentries; i++)
		if (same_source(p->entries[i], source))
			return true;
	return false;
}

bool program_need(struct program *p, struct expr_source source, struct expr_error *err)
{
	struct expr_source found[PROGRAM_ENTRIES];
	int n;

	if (p->spec.kind != SPEC_RETURN)
		return true;
	n = expr_entries(&p->entry.scope, source, found, PROGRAM_ENTRIES, err);
	for (int i = 0; i < n; i++) {
		if (is_noted(p, found[i]))
			continue;
		if (p->nentries == PROGRAM_ENTRIES)
			return !complain(err, found[i].start, found[i].end - found[i].start, 1,
					 "these are too many values of the entry");
		p->entries[p->nentries++] = found[i];
	}
	p->latency |= expr_latency(source);
	return n >= 0;
}

/* --- Compiling --- */

#define NESTED_PIDNS 8 /* namespaces, one in the other, that --ppid looks through */

/* Leaves the program unless the parent of the process has this number, as our namespace has it. */
static bool only_children(const struct programs *s, struct expr_prog *code)
{
	static const char pid[] = "$task->real_parent->group_leader->thread_pid";
	u32 ppid = s->filter->ppid, ns = s->filter->pidns;
	struct expr_error err;
	struct buf b = {};
	bool ok;

	if (!ns)
		buf_fmt(&b, "$task->real_parent->tgid == %u", ppid);
	for (int i = 1; ns && i <= NESTED_PIDNS; i++)
		buf_fmt(&b,
			"%s%s->level >= %d && %s->numbers[%d].nr == %u && "
			"%s->numbers[%d].ns->ns.inum == %u",
			i > 1 ? " || " : "", pid, i, pid, i, ppid, pid, i, ns);
	buf_chr(&b, '\0');
	ok = expr_filter(code, expr_source(b.data), -1, &err);
	buf_free(&b);
	return ok;
}

/* Leaves the program unless the current task is one that the options ask for. */
static bool only_wanted(const struct programs *s, struct expr_prog *code)
{
	const struct bcc_filter *f = s->filter;
	struct expr_error err;
	u32 uid;

	if (!f)
		return true;
	expr_only(code, EXPR_PID, f->pids.id, f->pids.n);
	expr_only(code, EXPR_TID, f->tids.id, f->tids.n);
	uid = f->uid_plus_1 - 1;
	expr_only(code, EXPR_UID, &uid, f->uid_plus_1 ? 1 : 0);
	if (f->comm_len)
		expr_only_comm(code, f->comm);
	if (f->cgroup)
		expr_only_cgroup(code, f->cgroup, f->cgroup_level);
	if (f->ppid && !only_children(s, code))
		return false;
	if (f->cgroupmap && !expr_only_in(code, expr_source("$task->cgroups->dfl_cgrp->kn->id"),
					  s->cgroupmap, &err))
		return false;
	return !f->mntnsmap || expr_only_in(code, expr_source("$task->nsproxy->mnt_ns->ns.inum"),
					    s->mntnsmap, &err);
}

static int no_filter(struct expr_error *err)
{
	return complain(err, 0, 1, -EINVAL,
			"--ppid, --cgroupmap and --mntnsmap need the kernel's types (BTF)");
}

static int compile_entry(struct programs *s, struct program *p, struct expr_error *err)
{
	struct expr_prog *code = expr_prog_new(&p->entry.scope);

	p->entry.code = code;
	p->entry_record = programs_map(s, -1);
	p->saved_map = programs_map(s, -1);
	if (!only_wanted(s, code))
		return no_filter(err);
	expr_record(code, p->entry_record, SAVED_VALUES, 0);
	expr_put_time(code, SAVED_TIME);
	for (int i = 0; i < p->nentries; i++) {
		p->saved[i].source = p->entries[i];
		if (!expr_value(code, p->entries[i], EXPR_CUT, SAVED_VALUE, &p->saved[i].value,
				err))
			return -EINVAL;
	}
	expr_save(code, p->saved_map, s->lost[LOST_START]);
	return expr_finish(code);
}

int program_compile(struct programs *s, struct program *p, program_make make, void *ctx,
		    struct expr_error *err)
{
	bool entry = p->nentries || p->latency;
	int ret = entry ? compile_entry(s, p, err) : 0;

	for (u32 i = 0; !ret && i < p->nshapes; i++) {
		struct shape *shape = &p->shapes[i];

		if (entry) {
			shape->scope.saved = p->saved;
			shape->scope.nsaved = p->nentries;
			shape->scope.latency = SAVED_TIME;
			shape->scope.saved_faults = 0;
		}
		/* Shapes do not move any more. */
		if (p->spec.kind == SPEC_RETURN)
			shape->scope.retval = &shape->retval;
		shape->code = expr_prog_new(&shape->scope);
		if (!only_wanted(s, shape->code))
			return no_filter(err);
		if (entry)
			expr_saved(shape->code, p->saved_map);
		if (!make(p, i, shape->code, ctx, err))
			return -EINVAL;
		ret = expr_finish(shape->code);
	}
	if (ret == -E2BIG)
		complain(err, 0, 1, ret, "this makes a program that is too long");
	return ret;
}

static void dump_one(struct buf *b, const struct shape *shape, const char *what)
{
	const struct bpf_insn *code;
	u32 n;

	code = expr_code(shape->code, &n);
	buf_fmt(b, "%s: %u instructions\n", what, n);
	expr_dump(b, code, n);
}

void program_dump(const struct program *p, struct buf *b)
{
	if (p->entry.code)
		dump_one(b, &p->entry, "entry");
	for (u32 i = 0; i < p->nshapes; i++)
		dump_one(b, &p->shapes[i], p->shapes[i].sites.at[0].name);
}

/* --- Loading --- */

static int make_map(struct programs *s, int number, enum bpf_map_type type, const char *name,
		    u32 key, u32 value, u32 entries)
{
	if (s->maps[number] < 0)
		s->maps[number] = bpf_map_create(type, name, key, value, entries, NULL);
	return s->maps[number] < 0 ? s->maps[number] : 0;
}

static int make_maps(struct programs *s, struct program *p)
{
	int ret = make_loss_maps(s);
	u32 size = 8, threads;

	for (u32 i = 0; i < p->nshapes; i++)
		if (expr_record_size(p->shapes[i].code) > size)
			size = expr_record_size(p->shapes[i].code);
	ret = ret ?: make_map(s, p->record, BPF_MAP_TYPE_PERCPU_ARRAY, "record", 4, size, 1);
	if (ret || !p->entry.code)
		return ret;
	size = expr_record_size(p->entry.code);
	ret = make_map(s, p->entry_record, BPF_MAP_TYPE_PERCPU_ARRAY, "record", 4, size, 1);
	threads = SAVED_BYTES / size < SAVED_THREADS ? SAVED_BYTES / size : SAVED_THREADS;
	return ret ?: make_map(s, p->saved_map, BPF_MAP_TYPE_HASH, "saved", 8, size, threads);
}

/* Keeps what was loaded, to close it. */
static void keep(struct program_fds *l, int fd)
{
	l->fd = xrealloc(l->fd, (l->n + 1) * sizeof(*l->fd));
	l->fd[l->n++] = fd;
}

static int load_way(struct programs *s, struct program *p, struct shape *shape, enum attach_way way,
		    struct buf *why)
{
	struct expr_load load = { .name = "probe", .maps = s->maps, .nmaps = s->nmaps };
	int fd;

	attach_type(way, &load.type, &load.attach);
	if (s->verbose) {
		load.log = xcalloc(1, LOG_SIZE);
		load.log_size = LOG_SIZE;
	}
	fd = expr_load(shape->code, &load);
	if (fd >= 0)
		keep(&p->loaded, fd);
	else if (!kernel_explain(why, fd, NULL))
		buf_fmt(why, "the kernel refused the program: %s%s%s", strerror(-fd),
			load.log ? "\n" : "; this is a fault of bcctool's (--verbose shows why)",
			load.log ?: "");
	free(load.log);
	shape->attach.prog[way] = fd;
	return fd < 0 ? fd : 0;
}

static int load_shape(struct programs *s, struct program *p, struct shape *shape, struct buf *why)
{
	int ret = attach_plan(&shape->attach, &shape->sites, s->pid);

	shape->attach.stacks = s->stacks;
	for (int way = 0; !ret && way < ATTACH_WAYS; way++)
		if (shape->attach.wanted >> way & 1)
			ret = load_way(s, p, shape, way, why);
	if (!ret && shape->attach.wanted >> ATTACH_EVENT & 1) {
		shape->attach.site_of = bpf_map_create(BPF_MAP_TYPE_HASH, "site_of", sizeof(u64),
						       sizeof(u32), shape->sites.n, NULL);
		if (shape->attach.site_of < 0)
			return shape->attach.site_of;
		keep(&p->loaded, shape->attach.site_of);
	}
	return ret;
}

/* Where the functions of a return begin: their returns may be many, and elsewhere. */
static int load_entry(struct programs *s, struct program *p, struct buf *why)
{
	struct expr_error err;
	int ret = find_sites(s, p, SPEC_ENTRY, false, &p->entry_sites, &err);

	if (ret) {
		buf_str(why, err.text);
		return ret;
	}
	for (u32 i = 0; i < p->entry_sites.n; i++)
		add_site(&p->entry, &p->entry_sites, &p->entry_sites.at[i]);
	return load_shape(s, p, &p->entry, why);
}

int program_load(struct programs *s, struct program *p, struct buf *why)
{
	int ret = make_maps(s, p);

	if (ret && !kernel_explain(why, ret, NULL))
		buf_fmt(why, "cannot make BPF maps: %s", strerror(-ret));
	if (!ret && p->entry.code)
		ret = load_entry(s, p, why);
	for (u32 i = 0; !ret && i < p->nshapes; i++)
		ret = load_shape(s, p, &p->shapes[i], why);
	return ret;
}

/* The entry first: a return without it is nothing. */
int program_attach(struct program *p, u32 *refused, struct buf *why)
{
	u32 attached = 0;
	int ret = p->entry.code ? attach_start(&p->entry.attach, why) : 0, first = 0;

	if (ret)
		return ret;
	for (u32 i = 0; i < p->nshapes; i++) {
		ret = attach_start(&p->shapes[i].attach, why);
		first = first ?: ret;
		attached += p->shapes[i].attach.attached;
	}
	*refused = p->sites.n - attached;
	return attached ? 0 : first;
}

static u64 detach(struct shape *shape)
{
	u64 missed = attach_missed(&shape->attach);

	attach_stop(&shape->attach);
	return missed;
}

/* How often the kernel did not run a program since one was running: bpf_prog_info, 5.12+. */
static u64 recursion_misses(const struct program_fds *l)
{
	u64 sum = 0;

	for (int i = 0; i < l->n; i++) {
		struct bpf_prog_info info = {};
		u32 len = sizeof(info);

		if (!bpf_obj_get_info_by_fd(l->fd[i], &info, &len))
			sum += info.recursion_misses;
	}
	return sum;
}

u64 program_detach(struct program *p)
{
	u64 missed = 0;

	for (u32 i = 0; i < p->nshapes; i++)
		missed += detach(&p->shapes[i]);
	if (p->entry.code)
		missed += detach(&p->entry);
	return missed + recursion_misses(&p->loaded);
}
