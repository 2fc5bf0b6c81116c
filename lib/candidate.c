#include <string.h>

#include "candidate.h"
#include "kbtf.h"
#include "kernel.h"
#include "object.h"

static bool starts(const char *s, const char *prefix, const char **rest)
{
	size_t n = strlen(prefix);

	*rest = s + n;
	return !strncmp(s, prefix, n);
}

bool candidate_exists(const char *section)
{
	const char *name;
	int id;

	if (*section == '?')
		section++;
	if (starts(section, "tracepoint/", &name) || starts(section, "tp/", &name))
		return tracepoint_exists(name);
	if (starts(section, "raw_tp/", &name))
		return raw_tracepoint_exists(name);
	if (starts(section, "tp_btf/", &name))
		return typed_tracepoint_exists(name);
	if (starts(section, "fentry/", &name) || starts(section, "fexit/", &name))
		return kbtf_id(name, KBTF_FUNC) > 0 || kbtf_module(name, &id);
	if (starts(section, "kprobe/", &name) || starts(section, "kretprobe/", &name))
		return kprobe_possible(name);
	return true; /* timers and the like: attaching tells */
}

/* The next word of a candidate, without its '?'; false at the end. */
static bool word(const char **p, char name[64], bool *optional)
{
	size_t n = strcspn(*p += strspn(*p, " ~"), " ");

	if (!n)
		return false;
	*optional = (*p)[n - 1] == '?';
	memcpy(name, *p, n < 63 ? n : 63);
	name[(n < 63 ? n : 63) - *optional] = '\0';
	*p += n;
	return true;
}

static struct bpf_program *program(struct bpf_object *obj, const char *name)
{
	return bpf_object__find_program_by_name(obj, name);
}

/* Whether each program of the candidate that must be there is, and one at least. */
static bool available(struct bpf_object *obj, const char *candidate)
{
	bool optional, any = false;
	char name[64];

	for (const char *p = candidate; word(&p, name, &optional);) {
		struct bpf_program *prog = program(obj, name);
		bool there = prog && candidate_exists(object_section(prog));

		if (!there && !optional)
			return false;
		any |= there;
	}
	return any;
}

static bool is_late(const char *candidate)
{
	return *candidate == '~' && kernel_preempts();
}

static void enable(struct bpf_object *obj, const char *candidate)
{
	bool optional;
	char name[64];

	for (const char *p = candidate; word(&p, name, &optional);) {
		struct bpf_program *prog = program(obj, name);

		if (prog && candidate_exists(object_section(prog)))
			bpf_program__set_autoload(prog, true);
	}
}

/*
 * Asks in one pass over the kernel's BTF for all the names that the object's programs may need, and
 * for what its relocations need.
 */
static void prefetch(struct bpf_object *obj, int btf_fd)
{
	static char typedefs[64][128];
	struct kbtf_name names[64];
	struct bpf_program *prog;
	int n = 0;

	bpf_object__for_each_program(prog, obj) {
		const char *sec = object_section(prog), *name;

		if (*sec == '?')
			sec++;
		if (n == 64)
			break;
		if (starts(sec, "tp_btf/", &name) || starts(sec, "raw_tp/", &name)) {
			strcpy(typedefs[n], "btf_trace_");
			strncat(typedefs[n], name, 100);
			names[n] = (struct kbtf_name){ typedefs[n], KBTF_TYPEDEF };
			n++;
		} else if (starts(sec, "fentry/", &name) || starts(sec, "fexit/", &name)) {
			names[n++] = (struct kbtf_name){ name, KBTF_FUNC };
		}
	}
	if (n || btf_fd >= 0)
		kbtf_prefetch(names, n, bpf_object__btf(obj), btf_fd);
}

static void choose_all(struct bpf_object *obj, struct choices *c)
{
	struct choice *choice = &c->probe[c->n++];
	struct bpf_program *prog;
	bool any = !bpf_object__next_program(obj, NULL); /* the applet makes them itself */

	*choice = (struct choice){ .what = "programs", .chosen = "all" };
	bpf_object__for_each_program(prog, obj) {
		const char *sec = object_section(prog);
		bool there = candidate_exists(sec);

		bpf_program__set_autoload(prog, there);
		any |= there;
		if (there || *sec == '?' || !choice->chosen)
			continue;
		*choice = (struct choice){ .what = sec, .verdict = PROBE_UNAVAILABLE };
	}
	if (!any)
		choice->verdict = PROBE_UNAVAILABLE;
	c->verdict = choice->verdict;
}

void candidates_choose(struct bpf_object *obj, const struct probe *probes, struct choices *c,
		       int btf_fd)
{
	struct bpf_program *prog;

	c->n = 0;
	c->verdict = PROBE_OK;
	prefetch(obj, btf_fd);
	if (!probes) {
		choose_all(obj, c);
		return;
	}
	bpf_object__for_each_program(prog, obj)
		bpf_program__set_autoload(prog, false);
	for (const struct probe *p = probes; p->what; p++) {
		struct choice *choice = &c->probe[c->n];
		u64 refused = c->refused[c->n++];

		*choice = (struct choice){ .what = p->what, .lost = p->lost };
		if ((p->wanted && !*p->wanted) || (p->unless && *p->unless)) {
			choice->chosen = "not asked for";
			continue;
		}
		for (int late = 0; late < 2 && !choice->chosen; late++)
			for (int i = 0; i < CANDIDATES && p->candidates[i] && !choice->chosen; i++)
				if (!(refused >> i & 1) && is_late(p->candidates[i]) == late &&
				    available(obj, p->candidates[i]))
					choice->chosen = p->candidates[i];
		if (choice->chosen)
			enable(obj, choice->chosen);
		else
			choice->verdict = p->lost ? PROBE_DEGRADED : PROBE_UNAVAILABLE;
		if (choice->verdict > c->verdict)
			c->verdict = choice->verdict;
	}
}

static bool untried(const struct probe *p, u64 refused)
{
	for (int i = 0; i < CANDIDATES && p->candidates[i]; i++)
		if (!(refused >> i & 1))
			return true;
	return false;
}

bool candidates_refuse(const struct probe *probes, struct choices *c, const char *prog)
{
	bool optional, marked = false;
	char name[64];

	for (const struct probe *p = probes; p && p->what; p++)
		for (int i = 0; i < CANDIDATES && p->candidates[i]; i++) {
			if (p->candidates[i] != c->probe[p - probes].chosen)
				continue;
			for (const char *w = p->candidates[i]; word(&w, name, &optional);)
				if (!strcmp(name, prog)) {
					c->refused[p - probes] |= 1ull << i;
					marked = p->lost || untried(p, c->refused[p - probes]);
				}
		}
	return marked;
}
