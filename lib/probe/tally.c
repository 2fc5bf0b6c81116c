#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>

#include "tally.h"

static int fill(struct tally *t, int buffer)
{
	u32 zero = 0;

	return bpf_map_update_elem(t->tables, &zero, &buffer, BPF_ANY);
}

int tally_init(struct tally *t, u32 key_size, u32 keys)
{
	LIBBPF_OPTS(bpf_map_create_opts, opts);

	*t = (struct tally){ .key_size = key_size };
	for (int i = 0; i < 2; i++) {
		t->buffer[i] = bpf_map_create(BPF_MAP_TYPE_HASH, "counts", key_size, sizeof(u64),
					      keys, NULL);
		if (t->buffer[i] < 0)
			return t->buffer[i];
	}
	opts.inner_map_fd = t->buffer[0];
	t->tables = bpf_map_create(BPF_MAP_TYPE_ARRAY_OF_MAPS, "tables", sizeof(u32), sizeof(u32),
				   1, &opts);
	if (t->tables < 0)
		return t->tables;
	t->rows.value = (key_size + 7) / 8 * 8;
	t->rows.size = t->rows.value + sizeof(u64);
	return fill(t, t->buffer[0]);
}

int tally_take(struct tally *t, bool keep)
{
	int full = t->buffer[0], err;

	t->rows.n = 0;
	if (!keep) {
		err = fill(t, t->buffer[1]);
		if (err)
			return err;
		t->buffer[0] = t->buffer[1];
		t->buffer[1] = full;
	}
	rows_read(full, t->key_size, keep, &t->rows);
	return 0;
}

u64 tally_count(const struct tally *t, const char *row)
{
	u64 n;

	memcpy(&n, row + t->rows.value, sizeof(n));
	return n;
}
