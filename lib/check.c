#include <fcntl.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "applet.h"
#include "check.h"
#include "out.h"

static const char *const verdicts[] = { "ok", "degraded", "unavailable" };

static void json_member(const char *key, const char *value)
{
	buf_fmt(&out, "\"%s\":", key);
	if (value)
		buf_json(&out, value, strlen(value));
	else
		buf_str(&out, "null");
}

/* The chosen programs, without the mark of candidate.h. */
static const char *name_of(const struct choice *c)
{
	return c->chosen ? c->chosen + (*c->chosen == '~') : NULL;
}

static void print_json(const struct applet *a, enum verdict v, const struct buf *reason,
		       const struct choices *c)
{
	buf_fmt(&out, "{\"applet\":\"%s\",\"verdict\":\"%s\",\"reason\":", a->name, verdicts[v]);
	if (reason->len)
		buf_json(&out, reason->data, reason->len);
	else
		buf_str(&out, "null");
	buf_str(&out, ",\"probes\":[");
	for (int i = 0; i < c->n; i++) {
		buf_str(&out, i ? ",{" : "{");
		json_member("probe", c->probe[i].what);
		buf_chr(&out, ',');
		json_member("chosen", name_of(&c->probe[i]));
		buf_chr(&out, ',');
		json_member("lost", c->probe[i].chosen ? NULL : c->probe[i].lost);
		buf_chr(&out, '}');
	}
	buf_str(&out, "]}\n");
}

static void print_text(const struct applet *a, enum verdict v, const struct buf *reason,
		       const struct choices *c)
{
	buf_fmt(&out, "%-16s %s", a->name, verdicts[v]);
	if (reason->len)
		buf_fmt(&out, ": %.*s", (int)reason->len, reason->data);
	buf_chr(&out, '\n');
	for (int i = 0; i < c->n && a->probes; i++) {
		const struct choice *p = &c->probe[i];

		buf_fmt(&out, "    %s: %s", p->what, name_of(p) ?: "none");
		if (!p->chosen && p->lost)
			buf_fmt(&out, "; lost: %s", p->lost);
		buf_chr(&out, '\n');
	}
}

static enum verdict check(const struct applet *a)
{
	struct buf reason = {};
	struct run run;
	enum verdict v;

	if (a->check && !a->no_object) /* what follows from the options, here from none */
		a->check();
	v = applet_probe(a, &run, &reason);

	(out_mode == OUT_JSON ? print_json : print_text)(a, v, &reason, &run.choices);
	out_flush();
	bpf_object__close(run.obj);
	buf_free(&reason);
	return v;
}

#define SAID 64 /* and the verdict: the exit code of a child that has printed it */

/* The first line of what a child said before it gave up, without its name and ": ". */
static void read_reason(struct buf *reason, int fd)
{
	char text[1024];
	ssize_t n = read(fd, text, sizeof(text) - 1);
	char *said;

	text[n > 0 ? n : 0] = '\0';
	text[strcspn(text, "\n")] = '\0';
	said = strstr(text, ": ");
	buf_str(reason, said ? said + 2 : "it ends before it begins");
}

/*
 * An applet's own check() may end the program, or leave behind what the next would take for its
 * own: it is for a child.
 */
static enum verdict check_apart(const struct applet *a)
{
	const struct choices none = {};
	struct buf reason = {};
	int status = 0, said[2];
	pid_t child;

	if (!a->check || pipe2(said, O_CLOEXEC))
		return check(a);
	child = fork();
	if (!child) {
		if (!common.verbose)
			dup2(said[1], STDERR_FILENO);
		_exit(SAID + check(a));
	}
	close(said[1]);
	if (child < 0 || waitpid(child, &status, 0) != child || !WIFEXITED(status) ||
	    WEXITSTATUS(status) < SAID) {
		read_reason(&reason, said[0]);
		(out_mode == OUT_JSON ? print_json : print_text)(a, PROBE_UNAVAILABLE, &reason,
								 &none);
		out_flush();
		buf_free(&reason);
		status = -1;
	}
	close(said[0]);
	return status == -1 ? PROBE_UNAVAILABLE : WEXITSTATUS(status) - SAID;
}

int check_main(int argc, char **argv)
{
	enum verdict worst = PROBE_OK;
	bool named = false;

	for (int i = 1; i < argc; i++) {
		if (!strcmp(argv[i], "--json"))
			out_mode = OUT_JSON;
		else if (!strcmp(argv[i], "--verbose"))
			common.verbose = true;
		else if (!applet_find(argv[i])) {
			warn("check: no applet '%s'", argv[i]);
			return 2;
		} else {
			named = true;
		}
	}
	for (const struct applet_entry *const *e = applet_sorted(); *e; e++) {
		bool asked = !named;
		enum verdict v;

		for (int i = 1; i < argc; i++)
			asked |= !strcmp(argv[i], (*e)->applet->name);
		if (!asked)
			continue;
		v = check_apart((*e)->applet);
		worst = v > worst ? v : worst;
	}
	return worst == PROBE_UNAVAILABLE;
}
