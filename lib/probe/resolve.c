#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "kernel.h"
#include "resolve.h"
#include "util.h"

/* Strings and arguments, which live as long as the sites. */
struct names {
	struct names *next;
	size_t used, room;
	char text[];
};

#define NAMES_ROOM (64 * 1024)

int resolve_error(struct spec_error *err, u32 at, int code, const char *fmt, ...)
{
	va_list ap;

	err->at = at;
	va_start(ap, fmt);
	vsnprintf(err->text, sizeof(err->text), fmt, ap);
	va_end(ap);
	return code;
}

static char *take_room(struct sites *s, size_t len, size_t align)
{
	struct names *names = s->names;
	size_t used = names ? (names->used + align - 1) & -align : 0;

	if (!names || used > names->room || names->room - used < len) {
		size_t room = len > NAMES_ROOM ? len : NAMES_ROOM;

		names = malloc(sizeof(*names) + room);
		if (!names)
			return NULL;
		*names = (struct names){ .next = s->names, .room = room };
		s->names = names;
		used = 0;
	}
	names->used = used + len;
	return names->text + used;
}

void *sites_room(struct sites *s, size_t size)
{
	return take_room(s, size, 8);
}

const char *sites_copy(struct sites *s, const char *text)
{
	size_t len = strlen(text) + 1;
	char *copy = take_room(s, len, 1);

	return copy ? memcpy(copy, text, len) : NULL;
}

struct site *sites_new(struct sites *s, enum spec_kind kind, const char *name)
{
	const char *copy = sites_copy(s, name);
	struct site *at = s->at;

	if (!copy)
		return NULL;
	if (s->n == s->room) {
		at = realloc(at, (s->room * 2 + 64) * sizeof(*at));
		if (!at)
			return NULL;
		s->at = at;
		s->room = s->room * 2 + 64;
	}
	at += s->n++;
	*at = (struct site){ .kind = kind, .name = copy };
	return at;
}

void sites_free(struct sites *s)
{
	while (s->names) {
		struct names *names = s->names;

		s->names = names->next;
		free(names);
	}
	while (s->files) {
		struct file *f = s->files;

		s->files = f->next;
		library_close(&f->library);
		free(f);
	}
	free(s->at);
	*s = (struct sites){ 0 };
}

static int by_probe(const void *a, const void *b)
{
	const struct site *x = a, *y = b;

	if (x->in != y->in)
		return x->in < y->in ? -1 : 1;
	if (x->kind != y->kind)
		return x->kind < y->kind ? -1 : 1;
	return strcmp(x->name, y->name);
}

static int by_place(const void *a, const void *b)
{
	const struct site *x = a, *y = b;
	int cmp = by_probe(a, b);

	return cmp ? cmp : x->offset < y->offset ? -1 : x->offset > y->offset;
}

/* One of several places that are one probe to those who count. */
static bool has_places(const struct site *s)
{
	return s->kind == SPEC_USDT || s->at_ret;
}

void sites_unique(struct sites *s)
{
	u32 kept = 0;

	if (!s->n)
		return;
	qsort(s->at, s->n, sizeof(*s->at), by_place);
	for (u32 i = 0; i < s->n; i++) {
		struct site *last = kept ? &s->at[kept - 1] : NULL;

		if (last && !by_place(last, &s->at[i])) {
			last->traceable |= s->at[i].traceable;
			continue;
		}
		s->at[i].number = last && has_places(last) && !by_probe(last, &s->at[i])
					  ? last->number
					  : kept;
		s->at[kept++] = s->at[i];
	}
	s->n = kept;
}

/* Calls each() for every line of a file of the kernel's, as long as it returns 0. */
static int each_line(int dir, const char *path, int (*each)(void *ctx, char *line), void *ctx)
{
	int fd = dir < 0 ? dir : openat(dir, path, O_RDONLY | O_CLOEXEC), err = 0;
	char block[64 * 1024];
	size_t have = 0;
	ssize_t n = 0;

	if (fd < 0)
		return dir < 0 ? dir : -errno;
	while (!err && (n = read(fd, block + have, sizeof(block) - have)) > 0) {
		char *line = block, *end;

		have += n;
		while (!err && (end = memchr(line, '\n', block + have - line))) {
			*end = '\0';
			err = each(ctx, line);
			line = end + 1;
		}
		have -= line - block;
		memmove(block, line, have);
		if (have == sizeof(block)) /* no line of the kernel's is that long */
			have = 0;
	}
	err = err ?: n < 0 ? -errno : 0;
	close(fd);
	return err;
}

/* --- Kernel functions --- */

#define FUNCTIONS "available_filter_functions"

struct functions {
	struct sites *sites;
	struct match match;
	enum spec_kind kind;
};

/* The line's name; NULL for places whose function was thrown away after the start of the kernel. */
static char *function_name(char *line)
{
	line[strcspn(line, " ")] = '\0';
	return strncmp(line, "__ftrace_invalid_address__", 26) ? line : NULL;
}

static int add_function(void *ctx, char *line)
{
	struct functions *f = ctx;
	const char *name = function_name(line);
	struct site *site;

	if (!name || !match_test(&f->match, name))
		return 0;
	site = sites_new(f->sites, f->kind, name);
	if (!site)
		return -ENOMEM;
	site->traceable = true;
	return 0;
}

static int add_forbidden(void *ctx, char *line)
{
	const char *name = strchr(line, '\t');

	return name && !sites_new(ctx, SPEC_ENTRY, name + 1) ? -ENOMEM : 0;
}

static int by_name(const void *a, const void *b)
{
	return strcmp(((const struct site *)a)->name, ((const struct site *)b)->name);
}

/* Leaves out, of the sites from `first` on, what several functions are called. */
static void drop_ambiguous(struct sites *s, u32 first)
{
	u32 kept = first, end;

	qsort(s->at + first, s->n - first, sizeof(*s->at), by_name);
	for (u32 i = first; i < s->n; i = end) {
		for (end = i + 1; end < s->n && !by_name(&s->at[i], &s->at[end]);)
			end++;
		if (end == i + 1)
			s->at[kept++] = s->at[i];
		else
			s->ambiguous++;
	}
	s->n = kept;
}

/* Leaves out what the kernel forbids to probe; ftrace would let us. */
static int drop_forbidden(struct sites *s, u32 first)
{
	struct sites forbidden = {};
	u32 kept = first;
	int err = each_line(debugfs_dir(), "kprobes/blacklist", add_forbidden, &forbidden);

	if (err == -ENOMEM) {
		sites_free(&forbidden);
		return err;
	}
	if (forbidden.n) {
		qsort(forbidden.at, forbidden.n, sizeof(*forbidden.at), by_name);
		for (u32 i = first; i < s->n; i++)
			if (bsearch(&s->at[i], forbidden.at, forbidden.n, sizeof(*forbidden.at),
				    by_name))
				s->forbidden++;
			else
				s->at[kept++] = s->at[i];
		s->n = kept;
	}
	sites_free(&forbidden);
	return 0;
}

static int no_list(struct spec_error *err, int code)
{
	if (kernel_lockdown() == LOCKDOWN_CONFIDENTIALITY)
		return resolve_error(err, SPEC_NOWHERE, code,
				     "the kernel is locked down (confidentiality), which hides the "
				     "list of its functions (%s)",
				     FUNCTIONS);
	return resolve_error(err, SPEC_NOWHERE, code, "cannot list the kernel's functions (%s): %s",
			     FUNCTIONS, strerror(-code));
}

static int init_match(struct match *m, const struct spec *spec, const char *pattern,
		      struct spec_error *err)
{
	char why[80];
	int ret = match_init(m, pattern, spec->match, why);

	return ret == -EINVAL
		       ? resolve_error(err, spec->name_at, ret, "not a regular expression: %s", why)
		       : ret;
}

static int add_functions(struct sites *s, const struct spec *spec, struct spec_error *err)
{
	struct functions f = { .sites = s, .kind = spec->kind };
	u32 first = s->n, dropped = s->ambiguous + s->forbidden;
	int ret = init_match(&f.match, spec, spec->name, err);

	if (ret)
		return ret;
	ret = each_line(tracefs_dir(), FUNCTIONS, add_function, &f);
	match_free(&f.match);
	if (ret && ret != -ENOMEM)
		return no_list(err, ret);
	drop_ambiguous(s, first);
	ret = ret ?: drop_forbidden(s, first);
	if (!ret && s->n == first) {
		if (s->ambiguous + s->forbidden > dropped)
			return resolve_error(err, spec->name_at, -ENOENT,
					     "the kernel lets none of these functions be probed");
		return resolve_error(err, spec->name_at, -ENOENT, "no kernel function matches");
	}
	return ret;
}

/*
 * What was renamed, and what now tells the same: the first that this kernel has is suggested. What
 * only got a suffix (.isra.0, _noprof) is found without this.
 */
static const struct {
	const char *old, *now;
} successors[] = {
	{ "do_sys_open", "do_sys_openat2" },
	{ "sys_open", "do_sys_openat2" },
	{ "__vfs_read", "vfs_read" },
	{ "__vfs_write", "vfs_write" },
	{ "__close_fd", "close_fd" },
	{ "__close_fd", "file_close_fd" },
	{ "close_fd", "file_close_fd" },
	{ "add_to_page_cache_lru", "filemap_add_folio" },
	{ "mark_page_accessed", "folio_mark_accessed" },
	{ "account_page_dirtied", "folio_account_dirtied" },
	{ "swap_readpage", "swap_read_folio" },
	{ "migrate_misplaced_page", "migrate_misplaced_folio" },
	{ "kfree_skb", "kfree_skb_reason" },
	{ "kfree_skb_reason", "sk_skb_reason_drop" },
	{ "tcp_drop", "tcp_drop_reason" },
	{ "blk_mq_sched_insert_request", "blk_mq_insert_request" },
	{ "blk_throtl_bio", "__blk_throtl_bio" },
	{ "ieee80211_get_channel", "ieee80211_get_channel_khz" },
	{ "_do_fork", "kernel_clone" },
	{ "do_fork", "kernel_clone" },
	{ "submit_bio", "submit_bio_noacct" },
	{ "generic_make_request", "submit_bio_noacct" },
};

/* Still there, but its callers have it inlined: hardly anything comes by. */
const char *sites_instead(const struct sites *s)
{
	if (s->n != 1 || s->at->in || strcmp(s->at->name, "do_sys_open"))
		return NULL;
	return "do_sys_openat2";
}

/* Where functions went altogether, tracepoints tell. */
static const struct {
	const char *old, *event;
} events_instead[] = {
	{ "blk_start_request", "block:block_rq_issue" },
	{ "blk_mq_start_request", "block:block_rq_issue" },
	{ "__elv_add_request", "block:block_rq_insert" },
	{ "blk_account_io_start", "block:block_rq_issue" },
	{ "blk_account_io_completion", "block:block_rq_complete" },
	{ "blk_account_io_done", "block:block_rq_complete" },
	{ "scsi_init_io", "scsi:scsi_dispatch_cmd_start" },
	{ "scsi_mq_done", "scsi:scsi_dispatch_cmd_done" },
};

/* Of a function that is not to be had: what there is of that name, and what else may be meant. */
struct lookup {
	const char *name;
	u32 times;         /* that the list has it */
	int successor;     /* index + 1 */
	char suffixed[64]; /* NAME.isra.0 */
	char like[64];
	int distance;
};

static bool is_variant(const char *name, const char *of)
{
	size_t n = strlen(of);

	return !strncmp(name, of, n) && (name[n] == '.' || !strcmp(name + n, "_noprof"));
}

static int look(void *ctx, char *line)
{
	const char *name = function_name(line);
	struct lookup *l = ctx;
	int distance;

	if (!name)
		return 0;
	if (!strcmp(name, l->name))
		l->times++;
	if (is_variant(name, l->name) && strlen(name) < sizeof(l->suffixed))
		strcpy(l->suffixed, name);
	for (size_t i = 0; !l->successor && i < ARRAY_SIZE(successors); i++)
		if (!strcmp(successors[i].old, l->name) && !strcmp(successors[i].now, name))
			l->successor = i + 1;
	/* What one types wrong keeps its length, or nearly. */
	if (labs((long)strlen(name) - (long)strlen(l->name)) >= l->distance)
		return 0;
	distance = edit_distance(name, l->name);
	if (distance < l->distance) {
		l->distance = distance;
		snprintf(l->like, sizeof(l->like), "%s", name);
	}
	return 0;
}

/* Says why the function cannot be probed. */
static int no_function(const struct spec *spec, struct spec_error *err)
{
	struct lookup l = { .name = spec->name, .distance = 4 };
	int ret = each_line(tracefs_dir(), FUNCTIONS, look, &l);

	if (ret)
		return no_list(err, ret);
	if (l.times > 1)
		return resolve_error(
			err, spec->name_at, -EADDRNOTAVAIL,
			"the kernel has %u functions of this name and refuses to choose", l.times);
	if (l.times)
		return resolve_error(err, spec->name_at, -EINVAL,
				     "the kernel does not let this function be probed%s",
				     spec->offset ? " at this offset" : "");
	for (size_t i = 0; i < ARRAY_SIZE(events_instead); i++)
		if (!strcmp(events_instead[i].old, spec->name))
			return resolve_error(err, spec->name_at, -ENOENT,
					     "this kernel has no such function; use t:%s instead",
					     events_instead[i].event);
	if (l.successor || l.suffixed[0])
		return resolve_error(err, spec->name_at, -ENOENT,
				     "this kernel has no such function; it is '%s' now",
				     l.successor ? successors[l.successor - 1].now : l.suffixed);
	if (l.like[0])
		return resolve_error(err, spec->name_at, -ENOENT,
				     "no such kernel function; did you mean '%s'?", l.like);
	return resolve_error(err, spec->name_at, -ENOENT,
			     "no such kernel function, or it is inlined");
}

/* One function: the kernel is asked, which is quicker than reading its list. */
static int add_named(struct sites *s, const struct spec *spec, struct spec_error *err)
{
	struct site *site;

	if (!kprobe_possible(spec->name))
		return no_function(spec, err);
	site = sites_new(s, spec->kind, spec->name);
	if (!site)
		return -ENOMEM;
	site->offset = spec->offset;
	return 0;
}

/* --- Tracepoints --- */

static int visible(const struct dirent *e)
{
	return e->d_name[0] != '.';
}

/* Calls each() for every folder in one of tracefs, in the order of their names. */
static int each_folder(const char *path, int (*each)(void *ctx, const char *name), void *ctx)
{
	struct dirent **names;
	int dir = tracefs_dir(), n, ret = 0;

	if (dir < 0)
		return dir;
	n = scandirat(dir, path, &names, visible, alphasort);
	if (n < 0)
		return -errno;
	for (int i = 0; i < n; i++) {
		if (!ret && names[i]->d_type == DT_DIR)
			ret = each(ctx, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return ret;
}

struct events {
	struct sites *sites;
	struct match category, event;
	const char *in; /* the category that is being read */
};

static int add_event(void *ctx, const char *event)
{
	struct events *e = ctx;
	char name[256];

	if (!match_test(&e->event, event))
		return 0;
	snprintf(name, sizeof(name), "%s:%s", e->in, event);
	return sites_new(e->sites, SPEC_TRACEPOINT, name) ? 0 : -ENOMEM;
}

static int add_category(void *ctx, const char *category)
{
	struct events *e = ctx;
	char path[256];

	/* Those of ftrace itself take no program. */
	if (!match_test(&e->category, category) || !strcmp(category, "ftrace"))
		return 0;
	e->in = category;
	snprintf(path, sizeof(path), "events/%s", category);
	return each_folder(path, add_event, e);
}

static int no_tracepoints(const struct spec *spec, int ret, struct spec_error *err)
{
	if (kernel_lockdown() == LOCKDOWN_CONFIDENTIALITY)
		return resolve_error(err, SPEC_NOWHERE, ret,
				     "the kernel is locked down (confidentiality), which hides "
				     "its tracepoints");
	return resolve_error(err, spec->name_at, ret, "cannot list tracepoints: %s",
			     strerror(-ret));
}

static int add_events(struct sites *s, const struct spec *spec, struct spec_error *err)
{
	struct events e = { .sites = s };
	u32 first = s->n;
	int ret = init_match(&e.category, spec, spec->category, err);

	if (ret)
		return ret;
	ret = init_match(&e.event, spec, spec->name, err);
	if (!ret) {
		ret = each_folder("events", add_category, &e);
		match_free(&e.event);
	}
	match_free(&e.category);
	if (!ret && s->n == first)
		return resolve_error(err, spec->name_at, -ENOENT, "no tracepoint matches");
	if (ret && !err->text[0])
		return no_tracepoints(spec, ret, err);
	return ret;
}

struct nearest {
	const char *name;
	char like[64];
	int distance;
};

static int compare_event(void *ctx, const char *event)
{
	struct nearest *n = ctx;
	int distance = edit_distance(event, n->name);

	if (distance < n->distance) {
		n->distance = distance;
		snprintf(n->like, sizeof(n->like), "%s", event);
	}
	return 0;
}

static int no_event(const struct spec *spec, struct spec_error *err)
{
	struct nearest n = { .name = spec->name, .distance = 4 };
	char path[256];
	int ret;

	snprintf(path, sizeof(path), "events/%s", spec->category);
	ret = each_folder(path, compare_event, &n);
	if (ret == -ENOENT)
		return resolve_error(err, spec->name_at, ret, "no tracepoints of category '%.40s'",
				     spec->category);
	if (ret)
		return no_tracepoints(spec, ret, err);
	return resolve_error(err, spec->name_at, -ENOENT,
			     n.like[0] ? "no such tracepoint; did you mean '%s'?"
				       : "no such tracepoint",
			     n.like);
}

static int add_event_named(struct sites *s, const struct spec *spec, struct spec_error *err)
{
	char path[256], name[256];

	snprintf(path, sizeof(path), "%s/%s", spec->category, spec->name);
	snprintf(name, sizeof(name), "%s:%s", spec->category, spec->name);
	if (strchr(spec->category, '/') || strchr(spec->name, '/') || !tracepoint_exists(path))
		return no_event(spec, err);
	return sites_new(s, SPEC_TRACEPOINT, name) ? 0 : -ENOMEM;
}

int sites_add(struct sites *s, const struct spec *spec, u32 pid, struct spec_error *err)
{
	bool exact = spec->match == MATCH_EXACT;
	u32 first = s->n;
	int ret;

	*err = (struct spec_error){ .at = spec->name_at };
	if (spec->kind == SPEC_TRACEPOINT)
		ret = exact ? add_event_named(s, spec, err) : add_events(s, spec, err);
	else if (spec->kind == SPEC_USDT || *spec->library)
		ret = sites_add_user(s, spec, pid, err);
	else
		ret = exact ? add_named(s, spec, err) : add_functions(s, spec, err);
	for (u32 i = first; i < s->n; i++)
		s->at[i].number = i;
	if (ret && !err->text[0])
		resolve_error(err, spec->name_at, ret, "%s", strerror(-ret));
	return ret;
}
