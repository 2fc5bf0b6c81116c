/* User sites: functions of ELF files, and their USDT probes. */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "buf.h"
#include "elffunc.h"
#include "resolve.h"
#include "usdt.h"

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

/* The kernel changes the return address on the stack, and Go moves stacks. */
static bool is_go(const struct elf_file *f)
{
	const Elf64_Shdr *section;

	return !elf_section(f, ".gopclntab", &section) ||
	       !elf_section(f, ".go.buildinfo", &section);
}

static int add_matching(struct sites *s, const struct spec *spec, const struct elffuncs *fs,
			const struct file *in, struct match *m, struct spec_error *err)
{
	const struct elffunc **found = NULL;
	int n = elffuncs_match(fs, test, m, &found), ret = n < 0 ? n : 0;
	u32 first = s->n;

	for (int i = 0; !ret && i < n; i++) {
		struct site *site;

		if (found[i]->ifunc)
			continue;
		ret = check_offset(fs, found[i], spec, err)
			      ?: add_at(s, spec->kind, elffunc_name(fs, found[i]), in,
					elffunc_offset(fs, found[i]) + spec->offset, &site);
	}
	free(found);
	if (ret || s->n > first)
		return ret;
	if (n)
		return refuse(spec, err, -ENOENT,
			      "this function is chosen when the program starts, from several; see "
			      "those with a suffix, as by funccount 'c:*memcpy*'");
	return refuse(spec, err, -ENOENT,
		      fs->n ? "no function of this name there" : "the file names no functions");
}

static int add_functions(struct sites *s, const struct spec *spec, const struct file *in,
			 struct spec_error *err)
{
	struct elffuncs fs = {};
	struct elf_file elf;
	struct match m;
	char why[80];
	int ret = match_init(&m, spec->name, spec->match, why);

	if (ret)
		return resolve_error(err, spec->name_at, ret, "not a regular expression: %s", why);
	ret = elf_open(&elf, in->library.fd) ?: elf_read_segments(&elf) ?: elf_read_sections(&elf);
	if (!ret && spec->kind == SPEC_RETURN && is_go(&elf))
		ret = refuse(spec, err, -EOPNOTSUPP,
			     "a return probe would crash a Go program, whose stacks move");
	ret = ret ?: elffuncs_read(&fs, &elf);
	if (!ret)
		ret = add_matching(s, spec, &fs, in, &m, err);
	elffuncs_free(&fs);
	elf_close(&elf);
	match_free(&m);
	return ret;
}

/* --- USDT probes --- */

static int add_probe(struct sites *s, const struct usdt_site *probe, const struct file *in)
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
	site->args = sites_copy(s, probe->args);
	return site->args ? 0 : -ENOMEM;
}

static int add_matching_probes(struct sites *s, const struct usdt *u, const struct file *in,
			       const struct match *provider, const struct match *name)
{
	int ret = 0;

	for (u32 i = 0; !ret && i < u->n; i++)
		if (u->sites[i].offset && match_test(provider, u->sites[i].provider) &&
		    match_test(name, u->sites[i].name))
			ret = add_probe(s, &u->sites[i], in);
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
	in->machine = u.machine;
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
					      : add_functions(s, spec, f, err);
	}
	if (!ret && s->n == first)
		return refuse(spec, err, -ENOENT, "no such USDT probe there; see tplist -l");
	return ret;
}
