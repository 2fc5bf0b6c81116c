#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zlib.h>
#ifdef HAVE_LZMA
#include <lzma.h>
#endif

#include "debugfile.h"
#include "maps.h"

#define MAX_PATH     4096
#define MAX_CHECKED  (128u << 20) /* of a file whose checksum is taken */
#define MAX_DATA     (64u << 20)  /* of what .gnu_debugdata unpacks to; 2 MB as a rule */
#define MAX_LZMA     (128u << 20) /* memory for unpacking it */
#define BLOCK        65536
#define DEBUG_FOLDER "/usr/lib/debug"

static const char *extra;

void debugfile_dir(const char *dir)
{
	extra = dir;
}

/* A debug file that is sought. */
struct wanted {
	const struct elf_file *file;
	u8 id[ELF_BUILD_ID];
	u32 id_len, pid;
	bool has_crc;
	u32 crc;
	struct elf_file *found;
};

static bool checksum_is(const struct elf_file *f, u32 wanted)
{
	u8 buf[BLOCK];
	u32 crc = 0;

	for (u64 at = 0, len; at < f->size; at += len) {
		len = f->size - at < sizeof(buf) ? f->size - at : sizeof(buf);
		if (f->size > MAX_CHECKED || elf_read(f, at, buf, len))
			return false;
		crc = crc32(crc, buf, len);
	}
	return crc == wanted;
}

static bool belongs(const struct wanted *w)
{
	u8 id[ELF_BUILD_ID];
	u32 len;

	if (w->found->machine != w->file->machine || w->found->wide != w->file->wide ||
	    elf_read_sections(w->found))
		return false;
	len = elf_read_segments(w->found) ? 0 : elf_build_id(w->found, id);
	if (len && w->id_len)
		return len == w->id_len && !memcmp(id, w->id, len);
	return w->has_crc && checksum_is(w->found, w->crc);
}

/* The file of that name as the process sees it (0: we), if it is the one. */
static int try_path(struct wanted *w, u32 pid, const char *path)
{
	struct stat st, own;
	int located = root_locate(pid, path, &st), fd;

	if (located < 0)
		return -ENOENT;
	fd = located_open(located);
	close(located);
	if (fd < 0)
		return -ENOENT;
	/* A link may name the file itself, or lead to it. */
	if ((w->file->image || fstat(w->file->fd, &own) || own.st_ino != st.st_ino ||
	     own.st_dev != st.st_dev) &&
	    !elf_open(w->found, fd) && belongs(w))
		return fd;
	elf_close(w->found);
	close(fd);
	return -ENOENT;
}

static int try_format(struct wanted *w, const char *format, const char *a, const char *b,
		      const char *c)
{
	char path[MAX_PATH];
	int fd;

	if (snprintf(path, sizeof(path), format, a, b, c) >= (int)sizeof(path))
		return -ENOENT;
	fd = try_path(w, 0, path);
	return fd < 0 && w->pid ? try_path(w, w->pid, path) : fd;
}

static int by_build_id(struct wanted *w, const char *folder)
{
	char name[2 * ELF_BUILD_ID + 2], *p = name;

	if (w->id_len < 2)
		return -ENOENT;
	for (u32 i = 0; i < w->id_len; i++)
		p += sprintf(p, i ? "%02x" : "%02x/", w->id[i]);
	return try_format(w, "%s/.build-id/%s.debug%s", folder, name, "");
}

/* Section .gnu_debuglink: a file name without folders, padded to 4 bytes, and a CRC32. */
static int link_name(struct wanted *w, char name[256])
{
	const Elf64_Shdr *s;
	size_t len, crc_at;
	u8 *data;
	int err = elf_section(w->file, ".gnu_debuglink", &s) ?: elf_content(w->file, s, &data);

	if (err)
		return err;
	len = strnlen((char *)data, s->sh_size);
	crc_at = (len + 4) & ~3ul;
	if (!len || len > 255 || memchr(data, '/', len) || crc_at + 4 > s->sh_size) {
		err = -ENOEXEC;
	} else {
		memcpy(name, data, len);
		name[len] = '\0';
		memcpy(&w->crc, data + crc_at, 4);
		w->has_crc = true;
	}
	free(data);
	return err;
}

static int by_link(struct wanted *w, const char *path)
{
	char name[256], folder[MAX_PATH];
	const char *slash = strrchr(path, '/');
	int fd;

	if (!slash || slash - path >= MAX_PATH || link_name(w, name))
		return -ENOENT;
	snprintf(folder, sizeof(folder), "%.*s", (int)(slash - path), path);
	fd = try_format(w, "%s/%s%s", folder, name, "");
	if (fd < 0)
		fd = try_format(w, "%s/.debug/%s%s", folder, name, "");
	if (fd < 0 && extra)
		fd = try_format(w, "%s%s/%s", extra, folder, name);
	if (fd < 0)
		fd = try_format(w, "%s%s/%s", DEBUG_FOLDER, folder, name);
	return fd;
}

int debugfile_open(struct elf_file *debug, const struct elf_file *file, u32 pid, const char *path)
{
	struct wanted w = { .file = file, .pid = pid, .found = debug };
	int fd;

	w.id_len = elf_build_id(file, w.id);
	fd = extra ? by_build_id(&w, extra) : -ENOENT;
	if (fd < 0)
		fd = by_build_id(&w, DEBUG_FOLDER);
	if (fd < 0 && path)
		fd = by_link(&w, path);
	return fd;
}

#ifdef HAVE_LZMA
static int unpack(const u8 *data, size_t len, u8 **image, size_t *size)
{
	lzma_stream s = LZMA_STREAM_INIT;
	size_t room = BLOCK;
	u8 *more;
	int ret = lzma_stream_decoder(&s, MAX_LZMA, 0);

	*image = NULL;
	s.next_in = data;
	s.avail_in = len;
	while (ret == LZMA_OK && room <= MAX_DATA) {
		more = realloc(*image, room);
		if (!more)
			break;
		*image = more;
		s.next_out = more + s.total_out;
		s.avail_out = room - s.total_out;
		ret = lzma_code(&s, LZMA_FINISH);
		room *= 2;
	}
	*size = s.total_out;
	lzma_end(&s);
	if (ret == LZMA_STREAM_END)
		return 0;
	free(*image);
	*image = NULL;
	return room > MAX_DATA ? -EFBIG : ret == LZMA_OK ? -ENOMEM : -ENOEXEC;
}
#else
static int unpack(const u8 *data, size_t len, u8 **image, size_t *size)
{
	(void)data, (void)len, (void)image, (void)size;
	return -EOPNOTSUPP;
}
#endif

int debugdata_read(const struct elf_file *file, u8 **image, size_t *size)
{
	const Elf64_Shdr *s;
	u8 *data;
	int err = elf_section(file, ".gnu_debugdata", &s) ?: elf_content(file, s, &data);

	if (err)
		return err;
	err = unpack(data, s->sh_size, image, size);
	free(data);
	return err;
}

/* A compressed section begins with a header that says how, and how much it is. */
static int inflate_section(const struct elf_file *f, u8 **data, u64 *size, u64 max)
{
	Elf64_Chdr h;
	Elf32_Chdr narrow;
	u64 head = f->wide ? sizeof(h) : sizeof(narrow);
	uLongf len;
	u8 *out;

	if (*size < head)
		return -ENOEXEC;
	if (f->wide) {
		memcpy(&h, *data, sizeof(h));
	} else {
		memcpy(&narrow, *data, sizeof(narrow));
		h.ch_type = narrow.ch_type;
		h.ch_size = narrow.ch_size;
	}
	if (h.ch_type != ELFCOMPRESS_ZLIB)
		return -ENOEXEC;
	/* Deflate makes nothing smaller than a thousandth: more is not true. */
	if (h.ch_size > max || h.ch_size / 1100 > *size)
		return -EFBIG;
	len = h.ch_size;
	out = malloc(len ?: 1);
	if (!out)
		return -ENOMEM;
	if (uncompress(out, &len, *data + head, *size - head) != Z_OK) {
		free(out);
		return -ENOEXEC;
	}
	free(*data);
	*data = out;
	*size = len;
	return 0;
}

int debugfile_section(const struct elf_file *file, const char *name, u64 max, u8 **data, u64 *size)
{
	const Elf64_Shdr *s;
	int err = elf_section(file, name, &s);

	*data = NULL;
	if (!err && s->sh_type == SHT_NOBITS)
		err = -ENOENT;
	if (!err && s->sh_size > max)
		err = -EFBIG;
	if (err)
		return err;
	*size = s->sh_size;
	*data = malloc(*size ?: 1);
	err = *data ? elf_read(file, s->sh_offset, *data, *size) : -ENOMEM;
	if (!err && s->sh_flags & SHF_COMPRESSED)
		err = inflate_section(file, data, size, max);
	if (err) {
		free(*data);
		*data = NULL;
	}
	return err;
}
