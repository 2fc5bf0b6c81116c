#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "clock.h"
#include "elfsym.h"
#include "jitmap.h"
#include "maps.h"
#include "usyms.h"
#include "util.h"

#define BUCKETS      4096
#define MAX_MAPPINGS 65536        /* executable ones of a process: the default max_map_count */
#define MAX_PAST     1024         /* mappings remembered of a process that are no more */
#define MAX_ALL      (1u << 20)   /* mappings of all processes: 32 MB */
#define MAX_FILES    65536        /* known */
#define MAX_OPEN     128          /* files kept open, their symbols not read yet */
#define MAX_MEMORY   (1ull << 30) /* of symbols */
#define MAX_IMAGE    (256 << 10)  /* of a vDSO */
#define MAX_IMAGES   16           /* vDSOs: 64 and 32 bits, and what checkpointing brings */
#define REFRESH_NS   50000000     /* maps are read again for an unknown address after this */
#define MAX_JITS     256          /* processes whose perf maps are kept open */

struct file {
	struct file *next; /* in its bucket */
	enum sym_kind kind;
	u64 dev, ino;
	s64 size; /* and time of change, when it was opened; -1: it was not */
	struct timespec mtime;
	int fd;    /* open, not read yet; or -1 */
	bool done; /* symbols were read, or cannot be */
	int err;
	struct elfsym *elf;
	void *image; /* vDSO */
	size_t image_size;
	char path[]; /* as maps has it, without " (deleted)"; or [area] */
};

struct mapping {
	u64 start, end, offset;
	struct file *file;
};

struct process {
	struct process *next; /* in its bucket */
	u32 pid;
	u64 began; /* start time, in ticks since boot: tells a pid's users apart */
	u64 again; /* not before this time are maps read for an unknown address */
	struct mapping *maps, *past;
	u32 n, npast;
	struct jitmap *jit; /* once it had executable memory without a file */
};

/* Whose code has no names, and what can be done about it. */
enum runtime { RUNTIME_ANY, RUNTIME_JAVA, RUNTIME_NODE, RUNTIME_DOTNET, RUNTIME_PYTHON };

struct usyms {
	struct process *processes[BUCKETS];
	struct file *files[BUCKETS];
	u32 nfiles, nopen, nimages, nread, nmaps, njits, sweep;
	size_t memory;
	bool lines;
	struct hint {
		u32 pid;
		enum runtime runtime;
		char path[32];
	} hints[USYMS_HINTS];
	u32 nhints;
};

struct usyms *usyms_new(void)
{
	return calloc(1, sizeof(struct usyms));
}

/* What a process counts for against MAX_ALL: one that has nothing mapped costs too. */
static u32 weight(const struct process *p)
{
	return p->n + p->npast + 4;
}

static void free_process(struct usyms *us, struct process *p)
{
	us->nmaps -= weight(p);
	us->memory -= p->jit ? jitmap_memory(p->jit) : 0;
	us->njits -= p->jit != NULL;
	jitmap_free(p->jit);
	free(p->maps);
	free(p->past);
	free(p);
}

static void free_file(struct file *f)
{
	if (f->fd >= 0)
		close(f->fd);
	elfsym_free(f->elf);
	free(f->image);
	free(f);
}

void usyms_free(struct usyms *us)
{
	if (!us)
		return;
	for (u32 i = 0; i < BUCKETS; i++) {
		for (struct process *p = us->processes[i], *next; p; p = next) {
			next = p->next;
			free_process(us, p);
		}
		for (struct file *f = us->files[i], *next; f; f = next) {
			next = f->next;
			free_file(f);
		}
	}
	free(us);
}

/* Reads the symbols now, if the file could be opened: a process is needed that has it mapped. */
static void read_file_symbols(struct usyms *us, struct file *f, u32 pid)
{
	const struct elfsym_from from = { pid, f->path, us->lines };

	if (f->fd < 0)
		return;
	f->done = true;
	if (us->memory >= MAX_MEMORY)
		f->err = -EFBIG;
	else
		f->err = elfsym_load(&f->elf, f->fd, &from);
	close(f->fd);
	f->fd = -1;
	us->nopen--;
	if (f->elf) {
		us->nread++;
		us->memory += elfsym_memory(f->elf);
		f->err = elfsym_err(f->elf);
	}
}

static u32 bucket_of(u64 dev, u64 ino)
{
	return (dev * 31 + ino) * 0x9e3779b97f4a7c15ull >> 52; /* 12 bits: BUCKETS */
}

static struct file *add_file(struct usyms *us, enum sym_kind kind, u64 dev, u64 ino,
			     const char *path, size_t len)
{
	struct file *f, **bucket = &us->files[bucket_of(dev, ino)];

	if (us->nfiles >= MAX_FILES || us->memory >= MAX_MEMORY)
		return NULL;
	f = calloc(1, sizeof(*f) + len + 1);
	if (!f)
		return NULL;
	f->kind = kind;
	f->dev = dev;
	f->ino = ino;
	f->fd = -1;
	f->size = -1;
	memcpy(f->path, path, len);
	f->next = *bucket;
	*bucket = f;
	us->nfiles++;
	us->memory += sizeof(*f) + len + 1;
	return f;
}

/* Memory without a file goes by the name in maps: [heap], [anon:...], none at all. */
static struct file *area(struct usyms *us, const char *name, size_t len)
{
	u64 hash = len;

	if (!len) {
		name = "[anon]";
		len = 6;
	}
	for (size_t i = 0; i < len; i++)
		hash = (hash ^ (u8)name[i]) * 0x100000001b3ull;
	for (struct file *f = us->files[bucket_of(0, hash)]; f; f = f->next)
		if (f->kind == SYM_AREA && strlen(f->path) == len && !memcmp(f->path, name, len))
			return f;
	return add_file(us, SYM_AREA, 0, hash, name, len);
}

/*
 * The vDSO is code without a file: its image is copied from the process. There are very few
 * different ones, and each is kept to recognize it.
 */
static struct file *vdso(struct usyms *us, u32 pid, u64 start, u64 end)
{
	size_t size = end - start < MAX_IMAGE ? end - start : MAX_IMAGE;
	void *image = malloc(size);
	char path[32];
	struct file *f = NULL;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (!image || fd < 0 || pread(fd, image, size, start) != (ssize_t)size)
		goto out;
	for (f = us->files[bucket_of(0, 1)]; f; f = f->next)
		if (f->kind == SYM_VDSO && f->image_size == size && !memcmp(f->image, image, size))
			goto out;
	if (us->nimages >= MAX_IMAGES)
		goto out;
	f = add_file(us, SYM_VDSO, 0, 1, "[vdso]", 6);
	if (!f)
		goto out;
	f->done = true;
	f->err = elfsym_load_mem(&f->elf, image, size);
	f->image = image;
	f->image_size = size;
	us->nimages++;
	us->memory += size + (f->elf ? elfsym_memory(f->elf) : 0);
	image = NULL;
out:
	if (fd >= 0)
		close(fd);
	free(image);
	return f ?: area(us, "[vdso]", 6);
}

/* An inode's number is used again, and a file can be written over. */
static bool changed(const struct file *f, const struct stat *st)
{
	return f->size >= 0 && (f->size != st->st_size || f->mtime.tv_sec != st->st_mtim.tv_sec ||
				f->mtime.tv_nsec != st->st_mtim.tv_nsec);
}

/* The file of a mapping: one that is known, or a new one, then opened as long as it can be. */
static struct file *mapped_file(struct usyms *us, u32 pid, const struct map *m)
{
	static const char deleted[] = " (deleted)";
	const size_t tail = sizeof(deleted) - 1;
	const char *path = m->path;
	u64 dev = m->dev, ino = m->ino;
	size_t len = strlen(path);
	struct stat st = {};
	struct file *f;
	int located = maps_locate(pid, m, &st);

	if (len > tail && !memcmp(path + len - tail, deleted, tail))
		len -= tail;
	for (f = us->files[bucket_of(dev, ino)]; f; f = f->next)
		if (f->kind == SYM_FILE && f->dev == dev && f->ino == ino &&
		    (located < 0 || !changed(f, &st)))
			break;
	if (!f)
		f = add_file(us, SYM_FILE, dev, ino, path, len);
	if (f && !f->done && f->fd < 0) {
		f->fd = located < 0 ? -1 : located_open(located);
		f->err = located < 0 ? located : f->fd < 0 ? f->fd : 0;
		if (f->fd >= 0) {
			f->size = st.st_size;
			f->mtime = st.st_mtim;
			if (++us->nopen > MAX_OPEN)
				read_file_symbols(us, f, pid);
		}
	}
	if (located >= 0)
		close(located);
	return f;
}

static int append(struct mapping **maps, u32 *n, const struct mapping *m)
{
	struct mapping *p = *maps, *last = *n ? &p[*n - 1] : NULL;

	if (last && last->file == m->file && last->end == m->start && m->file->kind == SYM_FILE &&
	    last->offset + (last->end - last->start) == m->offset) {
		last->end = m->end;
		return 0;
	}
	if (!(*n & (*n - 1))) {
		p = realloc(p, (*n ? *n * 2 : 1) * sizeof(*p));
		if (!p)
			return -ENOMEM;
		*maps = p;
	}
	p[(*n)++] = *m;
	return 0;
}

struct reading {
	struct usyms *us;
	u32 pid;
	struct mapping **maps;
	u32 *n;
};

/* Keeps what is executable; what has no file, or is one too many, is left out. */
static int read_map(const struct map *map, void *arg)
{
	struct reading *r = arg;
	struct mapping m = { map->start, map->end, map->offset };

	if (!map->exec || *r->n >= MAX_MAPPINGS)
		return 0;
	if (map->ino && *map->path == '/')
		m.file = mapped_file(r->us, r->pid, map);
	else if (!strcmp(map->path, "[vdso]"))
		m.file = vdso(r->us, r->pid, m.start, m.end);
	else
		m.file = area(r->us, map->path, strlen(map->path));
	return m.file ? append(r->maps, r->n, &m) : 0;
}

/* The executable mappings of a process, by address as the kernel lists them. */
static int read_maps(struct usyms *us, u32 pid, struct mapping **maps, u32 *n)
{
	return maps_each(pid, read_map, &(struct reading){ us, pid, maps, n });
}

/* Field 22 of /proc/PID/stat; the second, the name, may hold anything, even brackets. */
static u64 start_time(u32 pid)
{
	char buf[1024], *p;
	ssize_t len;
	int fd;

	snprintf(buf, sizeof(buf), "/proc/%u/stat", pid);
	fd = open(buf, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return 0;
	len = read(fd, buf, sizeof(buf) - 1);
	close(fd);
	buf[len > 0 ? len : 0] = '\0';
	p = strrchr(buf, ')');
	for (int field = 2; p && field < 22; field++) {
		p = strchr(p, ' ');
		p = p ? p + 1 : NULL;
	}
	return p ? strtoull(p, NULL, 10) : 0;
}

static struct process **place_of(struct usyms *us, u32 pid)
{
	struct process **p = &us->processes[pid % BUCKETS];

	while (*p && (*p)->pid != pid)
		p = &(*p)->next;
	return p;
}

/* Too much is remembered: forgets processes, bucket by bucket, but not this one. */
static void make_room(struct usyms *us, const struct process *keep)
{
	for (u32 i = 0; i < BUCKETS && us->nmaps > MAX_ALL; i++) {
		struct process **p = &us->processes[us->sweep++ % BUCKETS];

		while (*p) {
			struct process *gone = *p;

			if (gone == keep) {
				p = &gone->next;
				continue;
			}
			*p = gone->next;
			free_process(us, gone);
		}
	}
}

static bool mapped_in(const struct mapping *maps, u32 n, const struct mapping *m)
{
	for (u32 low = 0, high = n; low < high;) {
		u32 mid = low + (high - low) / 2;

		if (maps[mid].start == m->start)
			return maps[mid].end == m->end && maps[mid].offset == m->offset &&
			       maps[mid].file == m->file;
		if (maps[mid].start < m->start)
			low = mid + 1;
		else
			high = mid;
	}
	return false;
}

/* Where a compiler within the process may have put code. */
static bool may_be_jit(const struct file *f)
{
	if (f->kind == SYM_FILE)
		return starts_with(f->path, "/memfd:") || starts_with(f->path, "/dev/zero");
	return f->kind == SYM_AREA &&
	       (starts_with(f->path, "[anon") || starts_with(f->path, "[heap") ||
		starts_with(f->path, "[stack"));
}

static void look_for_jit(struct usyms *us, struct process *p)
{
	if (p->jit) {
		jitmap_look(p->jit);
		return;
	}
	for (u32 i = 0; i < p->n && us->njits < MAX_JITS; i++)
		if (may_be_jit(p->maps[i].file)) {
			p->jit = jitmap_new(p->pid);
			us->njits += p->jit != NULL;
			us->memory += p->jit ? jitmap_memory(p->jit) : 0;
			return;
		}
}

/* Takes over a new reading; what is no longer mapped goes to the past, the newest last. */
static void replace(struct usyms *us, struct process *p, struct mapping *maps, u32 n)
{
	us->nmaps -= weight(p);
	for (u32 i = 0; i < p->n; i++) {
		struct mapping *past;

		if (mapped_in(maps, n, &p->maps[i]))
			continue;
		if (p->npast == MAX_PAST)
			memmove(p->past, p->past + 1, --p->npast * sizeof(*past));
		past = realloc(p->past, (p->npast + 1) * sizeof(*past));
		if (!past)
			break; /* its names are lost, no more */
		p->past = past;
		past[p->npast++] = p->maps[i];
	}
	free(p->maps);
	p->maps = maps;
	p->n = n;
	us->nmaps += weight(p);
}

/* A process with very many mappings does not get more than 5 % of our time. */
static u64 next_time(u64 from)
{
	u64 now = clock_mono(), pause = (now - from) * 20;

	return now + (pause > REFRESH_NS ? pause : REFRESH_NS);
}

int usyms_refresh(struct usyms *us, u32 pid)
{
	struct process **place = place_of(us, pid), *p = *place;
	struct mapping *maps = NULL;
	u64 began = start_time(pid), from = clock_mono();
	u32 n = 0;
	int err = read_maps(us, pid, &maps, &n);

	if (!err && !p) {
		p = calloc(1, sizeof(*p));
		if (p) {
			p->pid = pid;
			us->nmaps += weight(p);
			*place = p;
		} else {
			err = -ENOMEM;
		}
	}
	if (err) {
		free(maps);
		return err;
	}
	if (p->began != began && p->jit) { /* another process now */
		us->memory -= jitmap_memory(p->jit);
		us->njits--;
		jitmap_free(p->jit);
		p->jit = NULL;
	}
	p->began = began;
	p->again = next_time(from);
	replace(us, p, maps, n);
	look_for_jit(us, p);
	make_room(us, p);
	return 0;
}

int usyms_capture(struct usyms *us, u32 pid)
{
	return *place_of(us, pid) ? 0 : usyms_refresh(us, pid);
}

static const struct mapping *mapping_at(const struct process *p, u64 addr)
{
	u32 low = 0, high = p->n;

	while (low < high) {
		u32 mid = low + (high - low) / 2;

		if (p->maps[mid].end <= addr)
			low = mid + 1;
		else
			high = mid;
	}
	return low < p->n && p->maps[low].start <= addr ? &p->maps[low] : NULL;
}

static const struct mapping *past_mapping_at(const struct process *p, u64 addr)
{
	for (u32 i = p->npast; i--;)
		if (p->past[i].start <= addr && addr < p->past[i].end)
			return &p->past[i];
	return NULL;
}

/* An address nowhere may be in what was mapped since; or noise, and then it comes often. */
static bool may_be_new(struct process *p, u64 addr)
{
	if (addr < 4096 || addr >> 63 || clock_mono() < p->again)
		return false;
	if (start_time(p->pid) == p->began)
		return true;
	p->again = ~0ull; /* it is gone: nothing is new any more */
	return false;
}

static const char *base_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static enum runtime runtime_of(const struct process *p)
{
	static const struct {
		const char *file;
		enum runtime is;
	} files[] = {
		{ "libjvm.so", RUNTIME_JAVA },    { "libcoreclr.so", RUNTIME_DOTNET },
		{ "libnode.so", RUNTIME_NODE },   { "node", RUNTIME_NODE },
		{ "libpython3", RUNTIME_PYTHON }, { "python3", RUNTIME_PYTHON },
	};

	for (u32 i = 0; i < p->n; i++)
		for (size_t k = 0; k < sizeof(files) / sizeof(*files); k++)
			if (starts_with(base_of(p->maps[i].file->path), files[k].file))
				return files[k].is;
	return RUNTIME_ANY;
}

static void add_hint(struct usyms *us, const struct process *p, enum runtime runtime)
{
	struct hint *h = &us->hints[us->nhints];

	for (u32 i = 0; i < us->nhints; i++)
		if (us->hints[i].pid == p->pid)
			return;
	if (us->nhints == USYMS_HINTS || (p->jit && jitmap_there(p->jit)))
		return;
	*h = (struct hint){ .pid = p->pid, .runtime = runtime };
	if (p->jit)
		snprintf(h->path, sizeof(h->path), "%s", jitmap_path(p->jit));
	us->nhints++;
}

bool usyms_hint(const struct usyms *us, u32 i, struct buf *b)
{
	static const struct {
		const char *name, *advice;
	} runtimes[] = {
		[RUNTIME_ANY] = { "", "its runtime has to write one" },
		[RUNTIME_JAVA] = { "Java ", "have it written by jcmd PID Compiler.perfmap (Java "
					    "17), and use -XX:+PreserveFramePointer" },
		[RUNTIME_NODE] = { "Node ", "start it with --perf-basic-prof" },
		[RUNTIME_DOTNET] = { ".NET ", "start it with DOTNET_PerfMapEnabled=1" },
		[RUNTIME_PYTHON] = { "Python ",
				     "to see its functions start it with -X perf (Python 3.12)" },
	};
	const struct hint *h = &us->hints[i];

	if (i >= us->nhints)
		return false;
	buf_fmt(b, "%sprocess %u has no %s: %s", runtimes[h->runtime].name, h->pid,
		*h->path ? h->path : "perf map", runtimes[h->runtime].advice);
	return true;
}

/* By what the process's runtime wrote down; there may be two things in one place over time. */
static void describe_jit(struct usyms *us, struct process *p, u64 addr, struct sym *sym)
{
	size_t before = p->jit ? jitmap_memory(p->jit) : 0;
	u64 offset;

	if (p->jit && us->memory < MAX_MEMORY)
		sym->name = jitmap_find(p->jit, addr, &offset);
	if (p->jit)
		us->memory += jitmap_memory(p->jit) - before;
	if (sym->name)
		sym->offset = offset;
	else
		add_hint(us, p, runtime_of(p));
}

static void describe(struct usyms *us, struct process *p, const struct mapping *m, u64 addr,
		     struct sym *sym)
{
	struct file *f = m->file;

	read_file_symbols(us, f, p->pid);
	sym->kind = f->kind;
	sym->module = f->path;
	sym->err = f->err;
	sym->address = addr - m->start;
	if (f->kind != SYM_AREA)
		sym->address += m->offset;
	if (f->elf) {
		sym->build_id = elfsym_build_id(f->elf, &sym->build_id_len);
		if (elfsym_address(f->elf, sym->address, &sym->address)) {
			sym->name = elfsym_find(f->elf, sym->address, &sym->offset);
			sym->file = elfsym_line(f->elf, sym->address, &sym->line);
		}
	} else if (may_be_jit(f)) {
		describe_jit(us, p, addr, sym);
	}
	if (!sym->name)
		sym->offset = sym->address;
	else if (starts_with(sym->name, "_PyEval_EvalFrame"))
		add_hint(us, p, RUNTIME_PYTHON);
}

int usyms_find(struct usyms *us, u32 pid, u64 addr, struct sym *sym)
{
	const struct mapping *m;
	struct process *p;
	int err = usyms_capture(us, pid);

	*sym = (struct sym){ .err = err };
	if (err)
		return err;
	p = *place_of(us, pid);
	m = mapping_at(p, addr);
	if (!m && may_be_new(p, addr)) {
		if (usyms_refresh(us, pid))
			p->again = next_time(clock_mono());
		m = mapping_at(p, addr);
	}
	m = m ?: past_mapping_at(p, addr);
	if (!m)
		return -ENOENT;
	describe(us, p, m, addr, sym);
	return 0;
}

int usyms_find_call(struct usyms *us, u32 pid, u64 addr, struct sym *sym)
{
	int err = usyms_find(us, pid, addr - 1, sym);

	if (!err) {
		sym->offset++;
		sym->address++;
	}
	return err;
}

void usyms_want_lines(struct usyms *us)
{
	us->lines = true;
}

size_t usyms_memory(const struct usyms *us)
{
	return sizeof(*us) + us->memory + us->nmaps * sizeof(struct mapping);
}

u32 usyms_files_read(const struct usyms *us)
{
	return us->nread;
}
