#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "kernel.h"
#include "library.h"
#include "out.h"
#include "usdt.h"

static const char *filter = "*", *library;
static bool fields, sites;
static u32 pid;

static const struct opt options[] = {
	OPT('p', "pid", "PID", &pid, "list the USDT probes of what this process has mapped",
	    .min = 1, .max = PID_LIMIT),
	OPT('l', "lib", "FILE", &library,
	    "list the USDT probes of this library or program, by path or name, such as pthread or "
	    "python3; with -p as that process sees it"),
	OPT('v', "verbose", NULL, &fields,
	    "print the fields of each tracepoint, of USDT probes how many locations and arguments; "
	    "-vv each of them",
	    .again = &sites),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "filter", NULL, &filter,
	    "print these only: category:event or provider:probe, with * and ?"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "all tracepoints" },
	{ "'block:*'", "those of block I/O" },
	{ "-v syscalls:sys_enter_read", "the fields of one" },
	{ "-l python3 'python:gc*'", "USDT probes of a program" },
	{ "-vv -p 181", "those of process 181, with their locations and arguments" },
	{ 0 },
};

/* The names in a folder of tracefs, in their order. */
static int list(int dir, const char *path, struct dirent ***names)
{
	int n = scandirat(dir, path, names, NULL, alphasort);

	return n < 0 ? -errno : n;
}

/* A field's declaration: what stands between "field:" and the semicolon. */
static void field_text(struct buf *b, const char *declaration)
{
	buf_str(b, "    ");
	buf_safe(b, declaration, strcspn(declaration, ";"));
	buf_str(b, ";\n");
}

/*
 * The declaration's parts for JSON and CSV: the name is the last word, less its brackets, and the
 * type is the rest: "char comm[16]", "char * buf", "__data_loc char[] filename".
 */
static void field_data(struct buf *b, const char *declaration)
{
	size_t len = strcspn(declaration, ";"), name = len, end = len;
	struct buf type = {};

	while (name && declaration[name - 1] != ' ')
		name--;
	for (size_t i = name; i < len; i++)
		if (declaration[i] == '[') {
			end = i;
			break;
		}
	buf_mem(&type, declaration, name ? name - 1 : 0);
	buf_mem(&type, declaration + end, len - end);
	buf_str(b, "{\"name\":");
	buf_json(b, declaration + name, end - name);
	buf_str(b, ",\"type\":");
	buf_json(b, type.data ?: "", type.len);
	buf_chr(b, '}');
	buf_free(&type);
}

/* The fields of a tracepoint, those that all have in common left out: events/C/E/format. */
static void each_field(const char *event, void (*each)(struct buf *b, const char *),
		       const char *between)
{
	char path[600], *format, *line, *rest, *declaration;
	const char *sep = "";
	int fd;

	snprintf(path, sizeof(path), "events/%s/format", event);
	fd = openat(tracefs_dir(), path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return;
	format = read_fd(fd, 1 << 20, NULL);
	close(fd);
	if (!format)
		return;
	for (rest = format; (line = strsep(&rest, "\n"));) {
		declaration = strstr(line, "field:");
		if (!declaration || strstr(line, " common_"))
			continue;
		buf_str(&out, sep);
		each(&out, declaration + strlen("field:"));
		sep = between;
	}
	free(format);
}

static void print(const char *category, const char *event)
{
	char path[600];

	snprintf(path, sizeof(path), "%s/%s", category, event);
	if (out_mode == OUT_JSON) {
		buf_str(&out, "{\"category\":");
		buf_json(&out, category, strlen(category));
		buf_str(&out, ",\"event\":");
		buf_json(&out, event, strlen(event));
		if (fields) {
			buf_str(&out, ",\"fields\":[");
			each_field(path, field_data, ",");
			buf_chr(&out, ']');
		}
		buf_str(&out, "}\n");
	} else if (out_mode == OUT_CSV) {
		buf_csv(&out, category, strlen(category));
		buf_chr(&out, ',');
		buf_csv(&out, event, strlen(event));
		buf_chr(&out, '\n');
	} else {
		buf_fmt(&out, "%s:%s\n", category, event);
		if (fields) {
			each_field(path, field_text, "");
			buf_chr(&out, '\n');
		}
	}
	out_row();
}

/* What is a tracepoint has a format; other folders and files of a category have not. */
static int print_category(const char *category)
{
	struct dirent **events;
	char path[600], full[600];
	int n, printed = 0;

	snprintf(path, sizeof(path), "events/%s", category);
	n = list(tracefs_dir(), path, &events);
	for (int i = 0; i < n; i++) {
		const char *event = events[i]->d_name;

		snprintf(path, sizeof(path), "events/%s/%s/format", category, event);
		snprintf(full, sizeof(full), "%s:%s", category, event);
		if (event[0] != '.' && !fnmatch(filter, full, 0) &&
		    !faccessat(tracefs_dir(), path, F_OK, 0)) {
			print(category, event);
			printed++;
		}
		free(events[i]);
	}
	if (n >= 0)
		free(events);
	return printed;
}

/* In BCC's form: "argument #1 4 signed   bytes @ *(sp + 12)"; as it stands where it has none. */
static void print_arg(const struct usdt *u, int number, const char *arg, size_t len)
{
	struct operand o;
	const char *why;

	buf_fmt(&out, "    argument #%d ", number);
	if (operand_parse(&o, u->machine, arg, len, &why)) {
		buf_fmt(&out, "%u %s bytes @ ", o.size, o.is_signed ? "signed  " : "unsigned");
		operand_text(&out, &o, u->machine);
	} else {
		buf_safe(&out, arg, len);
		buf_fmt(&out, " (%s)", why);
	}
	buf_chr(&out, '\n');
}

static void print_args(const struct usdt *u, const struct usdt_site *s)
{
	const char *args = s->args, *arg;
	size_t len;
	int n = 0;

	while (usdt_arg(&args, &arg, &len))
		print_arg(u, ++n, arg, len);
}

static u32 count_args(const struct usdt_site *s)
{
	const char *args = s->args, *arg;
	size_t len;
	u32 n = 0;

	while (usdt_arg(&args, &arg, &len))
		n++;
	return n;
}

/* One probe, in BCC's layout: `n` sites of the same name. */
static void usdt_as_text(const char *path, const char *name, const struct usdt *u,
			 const struct usdt_site *s, u32 n)
{
	if (!fields) {
		buf_safe(&out, path, strlen(path));
		buf_chr(&out, ' ');
		buf_safe(&out, name, strlen(name));
		buf_chr(&out, '\n');
		return;
	}
	buf_safe(&out, name, strlen(name));
	buf_fmt(&out, " [sema 0x%llx]\n", s->semaphore);
	if (!sites)
		buf_fmt(&out, "  %u location(s)\n  %u argument(s)\n", n, count_args(s));
	for (u32 i = 0; sites && i < n; i++) {
		buf_fmt(&out, "  location #%u ", i + 1);
		buf_safe(&out, path, strlen(path));
		buf_fmt(&out, " 0x%llx", s[i].address);
		if (s[i].semaphore != s->semaphore)
			buf_fmt(&out, " [sema 0x%llx]", s[i].semaphore);
		buf_chr(&out, '\n');
		print_args(u, &s[i]);
	}
}

static void usdt_as_json(const char *path, const struct usdt_site *s, u32 n)
{
	buf_str(&out, "{\"path\":");
	buf_json(&out, path, strlen(path));
	buf_str(&out, ",\"provider\":");
	buf_json(&out, s->provider, strlen(s->provider));
	buf_str(&out, ",\"probe\":");
	buf_json(&out, s->name, strlen(s->name));
	buf_str(&out, ",\"locations\":[");
	for (u32 i = 0; i < n; i++) {
		const char *args = s[i].args, *arg, *sep = "";
		size_t len;

		buf_fmt(&out,
			"%s{\"address\":%llu,\"offset\":%llu,\"semaphore\":%llu,\"arguments\":[",
			i ? "," : "", s[i].address, s[i].offset, s[i].semaphore);
		for (; usdt_arg(&args, &arg, &len); sep = ",") {
			buf_str(&out, sep);
			buf_json(&out, arg, len);
		}
		buf_str(&out, "]}");
	}
	buf_str(&out, "]}\n");
}

static void usdt_as_csv(const char *path, const struct usdt_site *s)
{
	const char *const cells[] = { path, s->provider, s->name };

	for (size_t i = 0; i < ARRAY_SIZE(cells); i++) {
		if (i)
			buf_chr(&out, ',');
		buf_csv(&out, cells[i], strlen(cells[i]));
	}
	buf_chr(&out, '\n');
}

/* The probes of an open file; how many were printed, or why it has none. */
static int print_usdt(int fd, const char *path)
{
	struct usdt u;
	int err = usdt_load(&u, fd), printed = 0;

	if (err)
		return err;
	for (u32 i = 0, n; i < u.n; i += n) {
		char *name = xasprintf("%s:%s", u.sites[i].provider, u.sites[i].name);

		n = usdt_same(&u, i);
		if (!fnmatch(filter, name, 0)) {
			if (out_mode == OUT_JSON)
				usdt_as_json(path, &u.sites[i], n);
			else if (out_mode == OUT_CSV)
				usdt_as_csv(path, &u.sites[i]);
			else
				usdt_as_text(path, name, &u, &u.sites[i], n);
			out_row();
			printed++;
		}
		free(name);
	}
	usdt_free(&u);
	return printed;
}

static int print_library(struct library *l, void *printed)
{
	int n = print_usdt(l->fd, l->path);

	if (n > 0)
		*(int *)printed += n;
	if (n < 0 && n != -ENOENT)
		warn("cannot read the probes of '%s': %s", l->path,
		     n == -ENOEXEC ? "the file is damaged" : strerror(-n));
	library_close(l);
	return 0;
}

static int list_library(void)
{
	struct library l;
	struct buf why = {};
	int printed = 0;

	if (library_open(&l, library, pid, &why))
		die("%.*s", (int)why.len, why.data);
	print_library(&l, &printed);
	return printed;
}

static int list_process(void)
{
	struct buf why = {};
	int printed = 0;

	if (library_mapped(pid, print_library, &printed, &why))
		die("%.*s", (int)why.len, why.data);
	if (why.len)
		warn("%.*s", (int)why.len, why.data);
	return printed;
}

static void list_usdt(void)
{
	int n;

	if (out_mode == OUT_CSV)
		buf_str(&out, "path,provider,probe\n");
	n = library ? list_library() : list_process();
	out_flush();
	if (!n && !library)
		die("process %u has no USDT probe that matches '%s'", pid, filter);
	if (!n)
		die("'%s' has no USDT probe that matches '%s'", library, filter);
}

static void run_tplist(struct run *run)
{
	struct dirent **categories;
	int n, printed = 0;

	(void)run;
	if (pid || library) {
		list_usdt();
		return;
	}
	if (tracefs_dir() < 0)
		die_err(tracefs_dir(),
			"cannot open tracefs, which lists the tracepoints (it takes root)");
	n = list(tracefs_dir(), "events", &categories);
	if (n < 0)
		die_err(n, "cannot list the tracepoints");
	if (out_mode == OUT_CSV)
		buf_str(&out, "category,event\n");
	for (int i = 0; i < n; i++) {
		/* ftrace's own events are no tracepoints that a program can be attached to. */
		if (categories[i]->d_name[0] != '.' && categories[i]->d_type == DT_DIR &&
		    strcmp(categories[i]->d_name, "ftrace"))
			printed += print_category(categories[i]->d_name);
		free(categories[i]);
	}
	free(categories);
	out_flush();
	if (!printed)
		die("no tracepoint matches '%s'", filter);
}

static const struct applet tplist = {
	.name = "tplist",
	.summary = "list tracepoints or USDT probes, and what they carry",
	.doc = "Lists what tracefs has under events, as category:event; with -v the fields that a "
	       "program on that tracepoint can read. tracefs need not be mounted. With -p or -l "
	       "lists the USDT probes of ELF files, by their section .note.stapsdt, each with "
	       "the address of its semaphore: a counter that tells the program whether it is "
	       "traced, 0 if it has none. Traces nothing.",
	.options = options,
	.positionals = positionals,
	.examples = examples,
	.no_object = true,
	.run = run_tplist,
};

APPLET(tplist);
