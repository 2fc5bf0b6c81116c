/* User sites: functions of ELF files, and their USDT probes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "elffunc.h"
#include "ifunc.h"
#include "resolve.h"
#include "usdt.h"
#include "util.h"

/* Files by what they are, not by what they are called. The library becomes the list's. */
static struct file *keep_file(struct sites *s, struct library *l)
{
	struct file *f;

	for (f = s->files; f; f = f->next)
		if (f->library.dev == l->dev && f->library.ino == l->ino) {
			library_close(l);
			return f;
		}
	f = calloc(1, sizeof(*f));
	if (!f) {
		library_close(l);
		return NULL;
	}
	*f = (struct file){ .library = *l, .next = s->files };
	s->files = f;
	return f;
}

static bool test(const char *name, void *arg)
{
	return match_test(arg, name);
}

static int add_at(struct sites *s, enum spec_kind kind, const char *name, const struct file *in,
		  u64 offset, struct site **site)
{
	*site = sites_new(s, kind, name);
	if (!*site)
		return -ENOMEM;
	(*site)->in = in;
	(*site)->offset = offset;
	return 0;
}

/* --- Functions --- */

static int refuse(const struct spec *spec, struct spec_error *err, int code, const char *why)
{
	return resolve_error(err, spec->name_at, code, "%s", why);
}

static int check_offset(const struct elffuncs *fs, const struct elffunc *f, const struct spec *spec,
			struct spec_error *err)
{
	int ret = spec->offset ? elffunc_check(fs, f, spec->offset) : 0;

	switch (ret) {
	case 0: return 0;
	case -ERANGE: return refuse(spec, err, ret, "the function is not that long");
	case -EILSEQ: return refuse(spec, err, ret, "there is no instruction at this offset");
	default:
		return refuse(spec, err, ret,
			      "cannot tell whether an instruction is at this offset");
	}
}

/* What a function's site is made of. */
struct source {
	struct sites *sites;
	const struct spec *spec;
	struct spec_error *err;
	struct file *in;
	struct elf_file elf;
	struct elffuncs fs;
	u32 pid;
	bool go;
};

/*
 * A return probe of the kernel changes the return address on the stack. Go moves stacks, and finds
 * that address: the program dies. So there each return instruction is a site.
 */
static int add_returns(struct source *src, const struct elffunc *f)
{
	const struct spec *spec = src->spec;
	struct elffunc_returns r;
	struct site *site;
	int ret = elffunc_returns(&src->fs, f, &r);

	if (ret == -ENOMEM)
		return ret;
	if (!ret && !r.n)
		ret = -ENOENT;
	if (ret && spec->match != MATCH_EXACT) {
		src->sites->forbidden++;
		return 0;
	}
	if (ret == -ENOENT)
		return refuse(spec, src->err, ret, "this Go function does not return");
	if (ret)
		return refuse(
			spec, src->err, ret,
			"a return probe would crash this Go program, whose stacks move, and its "
			"return instructions cannot be told");
	for (u32 i = 0; !ret && i < r.n; i++) {
		ret = add_at(src->sites, SPEC_RETURN, elffunc_name(&src->fs, f), src->in,
			     elffunc_offset(&src->fs, f) + r.at[i], &site);
		if (!ret)
			site->at_ret = true;
	}
	free(r.at);
	return ret;
}

/* What runs in the place of an indirect function: the dynamic linker knows. */
static int add_indirect(struct source *src, const struct elffunc *f)
{
	const struct library *l = &src->in->library;
	const struct spec *spec = src->spec;
	struct site *site;
	u64 addr, offset;
	int ret = ifunc_resolve(&src->elf, l->dev, l->ino, f->addr, src->pid, &addr);

	if (!ret && !spec->offset && elf_offset_of(&src->elf.loads, addr, &offset))
		return add_at(src->sites, spec->kind, elffunc_name(&src->fs, f), src->in, offset,
			      &site);
	if (spec->match != MATCH_EXACT) {
		src->sites->forbidden++;
		return 0;
	}
	if (ret == -ESRCH)
		return refuse(spec, src->err, -ENOENT,
			      "which code this function is, is chosen when a program starts: start "
			      "one that uses it first");
	return refuse(spec, src->err, -ENOENT,
		      "which code this function is, is chosen when a program starts, and the file "
		      "does not keep the choice (it may be the kernel's vDSO)");
}

static int add_function(struct source *src, const struct elffunc *f)
{
	struct site *site;

	if (f->ifunc)
		return add_indirect(src, f);
	if (src->go && src->spec->kind == SPEC_RETURN)
		return add_returns(src, f);
	return check_offset(&src->fs, f, src->spec, src->err)
		       ?: add_at(src->sites, src->spec->kind, elffunc_name(&src->fs, f), src->in,
				 elffunc_offset(&src->fs, f) + src->spec->offset, &site);
}

/* The function whose name is most like that. */
static const char *nearest(const struct elffuncs *fs, const char *name)
{
	const char *best = NULL;
	int distance = 4;

	for (u32 i = 0; i < fs->n; i++) {
		const char *other = elffunc_name(fs, &fs->at[i]);
		int d = labs((long)strlen(other) - (long)strlen(name)) < distance
				? edit_distance(other, name)
				: distance;

		if (d < distance) {
			distance = d;
			best = other;
		}
	}
	return best;
}

static int no_function(const struct source *src)
{
	const struct spec *spec = src->spec;
	const char *like = spec->match == MATCH_EXACT ? nearest(&src->fs, spec->name) : NULL;

	if (!src->fs.n)
		return refuse(spec, src->err, -ENOENT, "the file names no functions (stripped)");
	if (!like)
		return refuse(spec, src->err, -ENOENT, "no function of this name there");
	return resolve_error(src->err, spec->name_at, -ENOENT,
			     "no function of this name there; did you mean '%.60s'?", like);
}

static int add_matching(struct source *src, struct match *m)
{
	const struct elffunc **found = NULL;
	int n = elffuncs_match(&src->fs, test, m, &found), ret;

	if (!n && elffuncs_read_debug(&src->fs))
		n = elffuncs_match(&src->fs, test, m, &found);
	ret = n < 0 ? n : 0;
	for (int i = 0; !ret && i < n; i++)
		ret = add_function(src, found[i]);
	free(found);
	return ret ?: n ? 0 : no_function(src);
}

static int add_functions(struct sites *s, const struct spec *spec, struct file *in, u32 pid,
			 struct spec_error *err)
{
	struct source src = { .sites = s, .spec = spec, .err = err, .in = in, .pid = pid };
	u32 first = s->n;
	struct match m;
	char why[80];
	int ret = match_init(&m, spec->name, spec->match, why);

	if (ret)
		return resolve_error(err, spec->name_at, ret, "not a regular expression: %s", why);
	ret = elf_open(&src.elf, in->library.fd) ?: elf_read_segments(&src.elf);
	ret = ret ?: elffuncs_read(&src.fs, &src.elf);
	src.go = elf_is_go(&src.elf);
	ret = ret ?: add_matching(&src, &m);
	if (!ret && s->n == first)
		ret = refuse(spec, err, -ENOENT, "none of these functions can be probed");
	elffuncs_free(&src.fs);
	elf_close(&src.elf);
	match_free(&m);
	return ret;
}

/* --- USDT probes --- */

static const struct site_args *args_of(struct sites *s, const struct usdt *u,
				       const struct usdt_site *probe)
{
	const char *text = probe->args, *arg;
	struct site_args *args;
	size_t len;
	u32 n = 0;

	while (usdt_arg(&text, &arg, &len))
		n++;
	args = sites_room(s, sizeof(*args) + n * sizeof(*args->arg));
	if (!args)
		return NULL;
	args->n = n;
	text = probe->args;
	for (struct site_arg *a = args->arg; usdt_arg(&text, &arg, &len); a++)
		if (usdt_operand(u, probe, arg, len, &a->at, &a->why))
			a->why = NULL;
	return args;
}

static int add_probe(struct sites *s, const struct usdt *u, const struct usdt_site *probe,
		     const struct file *in)
{
	struct buf name = {};
	struct site *site;
	int ret;

	buf_fmt(&name, "%s:%s", probe->provider, probe->name);
	buf_chr(&name, '\0');
	ret = add_at(s, SPEC_USDT, name.data, in, probe->offset, &site);
	buf_free(&name);
	if (ret)
		return ret;
	site->semaphore = probe->semaphore_offset;
	site->args = args_of(s, u, probe);
	return site->args ? 0 : -ENOMEM;
}

static int add_matching_probes(struct sites *s, const struct usdt *u, const struct file *in,
			       const struct match *provider, const struct match *name)
{
	int ret = 0;

	for (u32 i = 0; !ret && i < u->n; i++)
		if (u->sites[i].offset && match_test(provider, u->sites[i].provider) &&
		    match_test(name, u->sites[i].name))
			ret = add_probe(s, u, &u->sites[i], in);
	return ret;
}

/* Adds the file's probes that are meant; 0 if there are none. */
static int add_probes(struct sites *s, const struct spec *spec, struct file *in,
		      struct spec_error *err)
{
	struct match provider, name;
	struct usdt u;
	char why[80];
	int ret = usdt_load(&u, in->library.fd);

	if (ret)
		return ret == -ENOENT ? 0 : ret;
	ret = match_init(&provider, *spec->provider ? spec->provider : "*",
			 *spec->provider ? spec->match : MATCH_GLOB, why);
	if (!ret) {
		ret = match_init(&name, spec->name, spec->match, why);
		if (!ret) {
			ret = add_matching_probes(s, &u, in, &provider, &name);
			match_free(&name);
		}
		match_free(&provider);
	}
	if (ret == -EINVAL)
		resolve_error(err, spec->name_at, ret, "not a regular expression: %s", why);
	usdt_free(&u);
	return ret;
}

struct mapped {
	struct sites *sites;
	const struct spec *spec;
	struct spec_error *err;
};

static int add_mapped(struct library *l, void *arg)
{
	struct mapped *m = arg;
	struct file *f = keep_file(m->sites, l);
	int ret = f ? add_probes(m->sites, m->spec, f, m->err) : -ENOMEM;

	return ret == -ENOEXEC ? 0 : ret;
}

static int say_why(struct spec_error *err, u32 at, int ret, struct buf *why)
{
	if (ret && why->len)
		resolve_error(err, at, ret, "%.*s", (int)why->len, why->data);
	buf_free(why);
	return ret;
}

int sites_add_user(struct sites *s, const struct spec *spec, u32 pid, struct spec_error *err)
{
	u32 first = s->n, at = spec->library - spec->copy;
	struct buf why = {};
	struct library l;
	struct file *f;
	int ret;

	if (!*spec->library) {
		if (!pid)
			return refuse(spec, err, -EINVAL,
				      "say in which library or, with -p, process");
		ret = library_mapped(pid, add_mapped, &(struct mapped){ s, spec, err }, &why);
		ret = say_why(err, spec->name_at, ret, &why);
	} else {
		ret = library_open(&l, spec->library, pid, &why);
		if (ret)
			return say_why(err, at, ret, &why);
		buf_free(&why);
		f = keep_file(s, &l);
		if (!f)
			return -ENOMEM;
		ret = spec->kind == SPEC_USDT ? add_probes(s, spec, f, err)
					      : add_functions(s, spec, f, pid, err);
	}
	if (!ret && s->n == first)
		return refuse(spec, err, -ENOENT, "no such USDT probe there; see tplist -l");
	return ret;
}
