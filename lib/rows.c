#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <bpf/bpf.h>

#include "applet.h"
#include "rows.h"

#define BATCH 256

static struct bpf_map *find(struct run *run, const char *table, const char *suffix)
{
	char name[64];
	struct bpf_map *map;

	snprintf(name, sizeof(name), "%s%s", table, suffix);
	map = bpf_object__find_map_by_name(run->obj, name);
	if (!map)
		die("no BPF map '%s'", name);
	return map;
}

void rows_limit(struct run *run, const char *table, unsigned entries)
{
	bpf_map__set_max_entries(find(run, table, "_a"), entries);
	bpf_map__set_max_entries(find(run, table, "_b"), entries);
}

void rows_spare(struct run *run, const char *table, unsigned entries)
{
	rows_limit(run, table, entries);
	/* The shape of what may be put into the outer map has the flags, too. */
	bpf_map__set_map_flags(bpf_map__inner_map(find(run, table, "")), BPF_F_NO_PREALLOC);
	bpf_map__set_map_flags(find(run, table, "_a"), BPF_F_NO_PREALLOC);
	bpf_map__set_map_flags(find(run, table, "_b"), BPF_F_NO_PREALLOC);
}

static void add(struct rows *rows, const void *key, size_t key_size, const void *value)
{
	char *row;

	if (rows->n == rows->room) {
		rows->room = rows->room * 2 ?: 64;
		rows->data = xrealloc(rows->data, rows->room * rows->size);
	}
	row = rows_at(rows, rows->n++);
	memset(row, 0, rows->value); /* padding between key and value */
	memcpy(row, key, key_size);
	memcpy(row + rows->value, value, rows->size - rows->value);
}

/* One key at a time: kernels before 5.6 have no batches. */
static void read_singly(int fd, size_t key_size, bool keep, struct rows *rows)
{
	char *key = xcalloc(1, key_size), *value = xcalloc(1, rows->size - rows->value);
	void *last = NULL;

	while (!bpf_map_get_next_key(fd, last, key)) {
		if (!bpf_map_lookup_elem(fd, key, value))
			add(rows, key, key_size, value);
		if (keep)
			last = key;
		else if (bpf_map_delete_elem(fd, key))
			break;
	}
	free(key);
	free(value);
}

void rows_read(int fd, size_t key_size, bool keep, struct rows *rows)
{
	size_t value_size = rows->size - rows->value;
	char *keys = xcalloc(BATCH, key_size), *values = xcalloc(BATCH, value_size);
	int (*read)(int, void *, void *, void *, void *, u32 *, const struct bpf_map_batch_opts *) =
		keep ? bpf_map_lookup_batch : bpf_map_lookup_and_delete_batch;
	size_t before = rows->n;
	u32 batch, n, max = BATCH;
	void *in = NULL;
	int err;

	do {
		n = max;
		err = read(fd, in, &batch, keys, values, &n, NULL);
		if (err == -ENOSPC) { /* a hash bucket holds more than the batch does */
			max *= 2;
			keys = xrealloc(keys, max * key_size);
			values = xrealloc(values, max * value_size);
			continue;
		}
		if (err && err != -ENOENT)
			break;
		for (u32 i = 0; i < n; i++)
			add(rows, keys + i * key_size, key_size, values + i * value_size);
		in = &batch;
	} while (err != -ENOENT);
	if (err && err != -ENOENT) {
		if (keep)
			rows->n = before;
		read_singly(fd, key_size, keep, rows);
	}
	free(keys);
	free(values);
}

void rows_take(struct run *run, const char *table, struct rows *rows)
{
	struct bpf_map *a = find(run, table, "_a"), *b = find(run, table, "_b");
	int outer = bpf_map__fd(find(run, table, ""));
	u32 zero = 0, id = 0, len, other;
	struct bpf_map_info info = {};
	int err;

	len = sizeof(info);
	err = bpf_map_lookup_elem(outer, &zero, &id);
	if (!err)
		err = bpf_obj_get_info_by_fd(bpf_map__fd(a), &info, &len);
	if (err)
		die_err(errno, "cannot read the results");
	if (id != info.id) { /* a is the one to fill next */
		struct bpf_map *swap = a;

		a = b;
		b = swap;
	}
	other = bpf_map__fd(b);
	err = bpf_map_update_elem(outer, &zero, &other, BPF_ANY);
	if (err)
		die_err(errno, "cannot exchange the buffers of results");
	rows->n = 0;
	rows->value = run->applet->value ?: bpf_map__key_size(a);
	rows->size = rows->value + bpf_map__value_size(a);
	rows_read(bpf_map__fd(a), bpf_map__key_size(a), false, rows);
}

/* One counter: the sum of all CPUs, less what it was. False if it is what it was. */
static bool gained(u64 *before, const u64 *each, int cpus, u64 *value, size_t words)
{
	bool any = false;

	for (size_t w = 0; w < words; w++) {
		u64 sum = 0;

		for (int cpu = 0; cpu < cpus; cpu++)
			sum += each[cpu * words + w];
		value[w] = sum - before[w];
		before[w] = sum;
		any |= value[w];
	}
	return any;
}

void rows_count(struct run *run, const char *counters, struct rows *rows)
{
	struct bpf_map *map = find(run, counters, "");
	u32 n = bpf_map__max_entries(map), got, next = 0, batch = 0;
	size_t words = bpf_map__value_size(map) / sizeof(u64);
	int cpus = libbpf_num_possible_cpus(), fd = bpf_map__fd(map), err = 0;
	u64 *each = xcalloc(BATCH * cpus, words * sizeof(u64)),
	    *value = xcalloc(words, sizeof(u64));
	u32 *keys = xcalloc(BATCH, sizeof(*keys));

	rows->before = rows->before ?: xcalloc(n, words * sizeof(u64));
	rows->n = 0;
	rows->value = run->applet->value ?: sizeof(u32);
	rows->size = rows->value + words * sizeof(u64);
	for (u32 i = 0; i < n; i += got) {
		got = n - i < BATCH ? n - i : BATCH;
		err = bpf_map_lookup_batch(fd, i ? &next : NULL, &batch, keys, each, &got, NULL);
		next = batch;
		if ((err && err != -ENOENT) || !got) { /* before 5.13 */
			got = 1;
			if (bpf_map_lookup_elem(fd, &i, each))
				die_err(errno, "cannot read the counters");
		}
		for (u32 j = 0; j < got; j++) {
			u32 key = i + j;

			if (gained(rows->before + key * words, each + j * cpus * words, cpus, value,
				   words))
				add(rows, &key, sizeof(key), value);
		}
	}
	free(each);
	free(value);
	free(keys);
}

static const struct applet *applet;

static int by_sort(const void *a, const void *b)
{
	const struct column *c = col_find(applet->columns, applet->sort ?: "");
	int cmp = applet->compare ? applet->compare(a, b) : c ? col_compare(c, b, a) : 0;

	if (applet->ascending)
		cmp = -cmp;
	return cmp ?: memcmp(a, b, applet->value); /* a stable order among equals */
}

/* Drops the rows that the applet's event() does not want. */
static void sift(struct run *run, struct rows *rows)
{
	size_t kept = 0;

	for (size_t i = 0; run->applet->event && i < rows->n; i++) {
		size_t size = rows->size;

		if (run->applet->event(run, rows_at(rows, i), &size))
			memmove(rows_at(rows, kept++), rows_at(rows, i), rows->size);
	}
	if (run->applet->event)
		rows->n = kept;
}

void rows_sort(struct run *run, struct rows *rows)
{
	applet = run->applet;
	sift(run, rows);
	if (rows->n)
		qsort(rows->data, rows->n, rows->size, by_sort);
}
