#include <errno.h>
#include <dirent.h>
#include <fcntl.h>
#include <fnmatch.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "kernel.h"
#include "out.h"

static const char *filter = "*";
static bool fields;

static const struct opt options[] = {
	OPT('v', "verbose", NULL, &fields, "print the fields of each tracepoint"),
	{ 0 },
};

static const struct opt positionals[] = {
	OPT(0, "filter", NULL, &filter,
	    "print these tracepoints only: category:event, with * and ?"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "all tracepoints" },
	{ "'block:*'", "those of block I/O" },
	{ "-v syscalls:sys_enter_read", "the fields of one" },
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

static void run_tplist(struct run *run)
{
	struct dirent **categories;
	int n, printed = 0;

	(void)run;
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
	.summary = "list the kernel's tracepoints and their fields",
	.doc = "Lists what tracefs has under events, as category:event; with -v the fields that a "
	       "program "
	       "on that tracepoint can read. tracefs need not be mounted. Traces nothing.",
	.options = options,
	.positionals = positionals,
	.examples = examples,
	.no_object = true,
	.run = run_tplist,
};

APPLET(tplist);
