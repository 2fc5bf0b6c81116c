#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "object.h"
#include "pagecache.h"
#include "util.h"

const struct probe pagecache_probes[] = {
	{ "reads", { "file_read", "old_file_read", "file_read_begin file_read_end" } },
	{ "reads by splice", { "file_spliced" }, "reads by splice(2), from 6.5 on" },
	{ "pages that are mapped",
	  { "folio_mapped", "page_mapped", "folio_mapped_probe", "page_mapped_probe" },
	  "use of mapped files" },
	{ "pages that are added to the cache", { "added", "page_added", "added_probe" } },
	{ "pages that become dirty",
	  { "dirtied", "dirtied_raw", "dirtied_page" },
	  "pages that are written to" },
	{ 0 },
};

void pagecache_prepare(struct run *run)
{
	u32 shift = __builtin_ctzl(sysconf(_SC_PAGESIZE));

	object_set(run->obj, "page_shift", &shift, sizeof(shift));
}

/* A line of /proc/meminfo: "Cached:   123 kB". */
static u64 bytes_of(const char *text, const char *name)
{
	const char *line = strstr(text, name);

	return line ? strtoull(line + strlen(name), NULL, 10) * 1024 : 0;
}

void pagecache_size(struct pagecache_size *size)
{
	char *text = read_file("/proc/meminfo", 1 << 16, NULL);

	*size = (struct pagecache_size){};
	if (!text)
		return;
	size->buffers = bytes_of(text, "\nBuffers:");
	size->cached = bytes_of(text, "\nCached:");
	free(text);
}
