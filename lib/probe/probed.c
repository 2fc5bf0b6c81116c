#include <errno.h>
#include <string.h>

#include "applet.h"
#include "object.h"
#include "pair.h"
#include "probed.h"

#define MANY 1000 /* functions, of which the user is told that they take a while */

struct probed probed;

static int take_pattern(const char *arg, void *dst, char why[128])
{
	(void)dst;
	if (probed.n == PROBED_PATTERNS) {
		snprintf(why, 128, "one pattern too many");
		return -EINVAL;
	}
	probed_add(arg);
	return 0;
}

#define PATTERN_HELP                                                                               \
	"[p:]NAME, [p:]LIBRARY:NAME, t:CATEGORY:EVENT or u:LIBRARY:PROBE, with r for p the "       \
	"return; * ? and [...] match: see bcctool-probe(7)"

const struct opt args_patterns[] = {
	OPT_PARSED(0, "pattern", NULL, take_pattern, NULL, PATTERN_HELP, .needed = true,
		   .many = true),
	{ 0 },
};

const struct opt args_pattern[] = {
	OPT_PARSED(0, "pattern", NULL, take_pattern, NULL, PATTERN_HELP, .needed = true),
	{ 0 },
};

const struct opt args_functions[] = {
	OPT_PARSED(0, "function", NULL, take_pattern, NULL,
		   "[p:]NAME of the kernel, or [p:]LIBRARY:NAME; * ? and [...] match: see "
		   "bcctool-probe(7)",
		   .needed = true, .many = true),
	{ 0 },
};

void probed_add(const char *pattern)
{
	probed.pattern[probed.n++] = pattern;
}

static u32 only_pid(void)
{
	return common.filter.pids.n == 1 ? common.filter.pids.id[0] : 0;
}

bool probed_exists(const char *pattern)
{
	struct sites sites = {};
	struct spec_error err;
	struct spec spec;
	bool found;

	if (spec_parse(&spec, pattern, false, &err))
		return false;
	found = !sites_add(&sites, &spec, only_pid(), &err);
	sites_free(&sites);
	spec_free(&spec);
	return found;
}

const struct site *probed_site(u32 number)
{
	return &probed.sites.at[probed.sites.n - probed.functions + number];
}

void probed_name(struct buf *b, const void *field, const void *row)
{
	const char *name = probed_site(*(const u32 *)field)->name;

	(void)row;
	buf_safe(b, name, strlen(name));
}

void probed_title(struct buf *b)
{
	buf_fmt(b, "\"%s%s\"", probed.pattern[0], probed.n > 1 ? " ..." : "");
}

struct probed_unit probed_unit = { .ns = 1, .name = "nsecs" };

void probed_check_unit(void)
{
	struct probed_unit *u = &probed_unit;

	if (u->us && u->ms)
		opt_error("-u and -m exclude each other");
	if (u->us || u->ms) {
		u->name = u->us ? "usecs" : "msecs";
		u->ns = u->us ? 1000 : 1000000;
	}
}

static void parse(struct spec *spec, const char *pattern)
{
	struct spec_error err;
	struct buf b = {};

	if (!spec_parse(spec, pattern, probed.regex, &err)) {
		if (pattern[spec->end])
			err = (struct spec_error){ spec->end, "only a name is expected here" };
		else if (!probed.calls || !pairs_check(spec, &err))
			return;
	}
	spec_caret(&b, pattern, &err);
	opt_error("%.*s", (int)b.len, b.data);
}

void probed_check(void)
{
	for (int i = 0; i < probed.n; i++)
		parse(&probed.spec[i], probed.pattern[i]);
}

void probed_check_calls(void)
{
	probed.calls = true;
	probed_check();
}

static void resolve(const struct spec *spec, const char *pattern)
{
	struct spec_error err = {};
	struct buf b = {};

	if (!(probed.calls ? pairs_add : sites_add)(&probed.sites, spec, only_pid(), &err))
		return;
	spec_caret(&b, pattern, &err);
	die("%.*s", (int)b.len, b.data);
}

static void number(struct sites *sites)
{
	int n;

	if (!probed.calls) {
		sites_unique(sites);
		probed.functions = sites->n;
		return;
	}
	n = pairs_number(sites);
	if (n < 0)
		die_err(n, "cannot list the functions");
	if (!n && probed.n)
		die("none of these functions has a return that can be probed");
	probed.functions = n;
}

/* `bcctool check` comes here without a pattern. */
void probed_prepare(struct run *run)
{
	struct bpf_map *counters = bpf_object__find_map_by_name(run->obj, "counters");
	struct sites *sites = &probed.sites;
	int err;

	if (!sites->n) {
		for (int i = 0; i < probed.n; i++)
			resolve(&probed.spec[i], probed.pattern[i]);
		number(sites);
	}
	err = attach_plan(&probed.attach, sites, only_pid());
	if (err)
		die_err(err, "cannot attach");
	probed.attach.stacks = probed.stacks;
	if (!probed.fields)
		attach_plan_raw(&probed.attach);
	attach_choose(&probed.attach, run->obj);
	if (counters)
		bpf_map__set_max_entries(counters, sites->n ?: 1);
}

/* Of returns the program notices some misses itself: where the kernel counts, it counts them too.
 */
static void detach(struct run *run)
{
	u64 missed = attach_missed(&probed.attach), returns = 0;

	attach_stop(&probed.attach);
	if (probed.calls)
		object_get(run->obj, "missed_returns", &returns, sizeof(returns));
	run->lost[LOST_PROBE] += missed > returns ? missed : returns;
}

static bool is_over(void *run)
{
	return run_over(run);
}

void probed_attached(struct run *run)
{
	const struct sites *sites = &probed.sites;
	struct attach *a = &probed.attach;
	struct buf why = {};
	int err;

	attach_take(a, run->obj);
	a->over = is_over;
	a->over_arg = run;
	if (attach_slow(a) > MANY)
		warn("attaching to %u functions one by one: this kernel has no faster way",
		     attach_slow(a));
	err = attach_start(a, &why);
	if (err == -EINTR)
		die("interrupted before all probes were attached");
	if (err)
		die("cannot attach: %.*s", (int)why.len, why.data);
	buf_free(&why);
	run->detach = detach;
	if (sites_instead(sites))
		warn("%s is hardly ever called: '%s' is now", sites->at->name,
		     sites_instead(sites));
	if (a->attached < sites->n)
		warn("%u of %u were refused by the kernel: %s", sites->n - a->attached, sites->n,
		     attach_error(a->refused));
	if (common.verbose && sites->ambiguous + sites->forbidden)
		warn("left out: %u names that several functions have, %u functions that cannot be "
		     "probed",
		     sites->ambiguous, sites->forbidden);
	for (u32 i = 0; probed.list && i < probed.functions; i++)
		warn("probe %s", probed_site(i)->name);
}
