#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "ifunc.h"
#include "maps.h"
#include "util.h"

#define MAX_TRIED 256 /* processes that have the file mapped and do not tell */
#define BLOCK     256 /* relocations read at once */

static u32 irelative(u16 machine)
{
	return machine == EM_X86_64    ? R_X86_64_IRELATIVE
	       : machine == EM_AARCH64 ? R_AARCH64_IRELATIVE
				       : 0;
}

/* The address of the word that keeps the answer, as linked. */
static int find_slot(const struct elf_file *f, const Elf64_Shdr *s, u64 resolver, u64 *slot)
{
	u32 type = irelative(f->machine);
	Elf64_Rela r[BLOCK];
	u64 n = s->sh_size / sizeof(*r);
	int err = 0;

	if (n > ELF_MAX_SCANNED)
		return -EFBIG;
	for (u64 at = 0; at < n && !err; at += BLOCK) {
		u32 some = n - at < BLOCK ? n - at : BLOCK;

		err = elf_read(f, s->sh_offset + at * sizeof(*r), r, some * sizeof(*r));
		for (u32 i = 0; i < some && !err; i++)
			if (ELF64_R_TYPE(r[i].r_info) == type && (u64)r[i].r_addend == resolver) {
				*slot = r[i].r_offset;
				return 0;
			}
	}
	return err ?: -ENOENT;
}

/* One process is asked. */
struct question {
	const struct elf_file *f;
	u64 dev, ino, resolver, slot;
	u32 pid;
	u64 answer;
};

static bool is_code_of(const struct map *m, const struct question *q)
{
	/* maps and stat() may differ in the device of overlayfs and btrfs: major number 0. */
	return m->exec && m->ino == q->ino &&
	       (m->dev == q->dev || !major(m->dev) || !major(q->dev));
}

static bool read_memory(u32 pid, u64 addr, void *to, size_t len)
{
	char path[32];
	ssize_t got;
	int fd;

	snprintf(path, sizeof(path), "/proc/%u/mem", pid);
	fd = open(path, O_RDONLY | O_CLOEXEC);
	if (fd < 0)
		return false;
	got = pread(fd, to, len, addr);
	close(fd);
	return got == (ssize_t)len;
}

/*
 * Inode numbers alone may be another file's, and a probe that is put where that file has something
 * else destroys what it hits: the resolver's code must be there.
 */
static bool is_there(const struct question *q, u64 moved)
{
	u8 known[32], found[32];
	u64 offset;

	return elf_offset_of(&q->f->loads, q->resolver, &offset) &&
	       !elf_read(q->f, offset, known, sizeof(known)) &&
	       read_memory(q->pid, q->resolver + moved, found, sizeof(found)) &&
	       !memcmp(known, found, sizeof(known));
}

static int ask(const struct map *m, void *arg)
{
	struct question *q = arg;
	u64 linked, moved, word;

	if (!is_code_of(m, q) || !elf_address_of(&q->f->loads, m->offset, &linked))
		return 0;
	moved = m->start - linked;
	/* It may have just been started, or may not be read. */
	if (!is_there(q, moved) || !read_memory(q->pid, q->slot + moved, &word, sizeof(word)) ||
	    word - moved == q->resolver || !elf_code_at(&q->f->loads, word - moved))
		return -EAGAIN;
	q->answer = word - moved;
	return 1;
}

static int ask_all(struct question *q)
{
	DIR *proc = opendir("/proc");
	struct dirent *d;
	int tried = 0, ret = 0;
	u64 pid;

	if (!proc)
		return -errno;
	while (ret <= 0 && tried < MAX_TRIED && (d = readdir(proc))) {
		if (!parse_u64(d->d_name, ~0u, &pid))
			continue;
		q->pid = pid;
		ret = maps_each(q->pid, ask, q);
		tried += ret == -EAGAIN;
	}
	closedir(proc);
	return ret;
}

int ifunc_resolve(const struct elf_file *f, u64 dev, u64 ino, u64 resolver, u32 pid, u64 *addr)
{
	struct question q = { .f = f, .dev = dev, .ino = ino, .pid = pid, .resolver = resolver };
	int err = -ENOENT;

	if (!f->wide || !irelative(f->machine))
		return -ENOENT;
	for (u32 i = 0; i < f->nsections && err == -ENOENT; i++)
		if (f->sections[i].sh_type == SHT_RELA)
			err = find_slot(f, &f->sections[i], resolver, &q.slot);
	if (err)
		return err;
	if ((pid ? maps_each(pid, ask, &q) : ask_all(&q)) != 1)
		return -ESRCH;
	*addr = q.answer;
	return 0;
}
