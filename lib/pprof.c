#include <errno.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <zlib.h>

#include "pprof.h"
#include "util.h"

/* Numbers from 0 on, in the order in which keys are first seen. */
struct pprof_key {
	u64 of[3];
};

struct pprof_ids {
	struct pprof_key *keys;
	u32 n, room, *slots; /* slots: 1 + a number; twice as many as there is room for */
};

static u32 *slot_of(const struct pprof_ids *ids, const struct pprof_key *key)
{
	size_t mask = 2 * ids->room - 1, i = hash_bytes(key, sizeof(*key)) & mask;

	while (ids->slots[i] && memcmp(&ids->keys[ids->slots[i] - 1], key, sizeof(*key)))
		i = (i + 1) & mask;
	return &ids->slots[i];
}

static void grow(struct pprof_ids *ids)
{
	ids->room = ids->room * 2 ?: 1024;
	ids->keys = xrealloc(ids->keys, ids->room * sizeof(*ids->keys));
	free(ids->slots);
	ids->slots = xcalloc(2 * ids->room, sizeof(*ids->slots));
	for (u32 i = 0; i < ids->n; i++)
		*slot_of(ids, &ids->keys[i]) = i + 1;
}

/* True if the key is new. */
static bool number(struct pprof_ids *ids, struct pprof_key key, u32 *id)
{
	u32 *slot;

	if (ids->n == ids->room)
		grow(ids);
	slot = slot_of(ids, &key);
	*id = *slot ? *slot - 1 : ids->n;
	if (*slot)
		return false;
	ids->keys[ids->n++] = key;
	*slot = ids->n;
	return true;
}

/* Encoding: https://protobuf.dev/programming-guides/encoding/ */

enum wire { VARINT = 0, LENGTH = 2 };

static void varint(struct buf *b, u64 v)
{
	for (; v >= 0x80; v >>= 7)
		buf_chr(b, v | 0x80);
	buf_chr(b, v);
}

static void put_number(struct buf *b, u32 field, u64 v)
{
	varint(b, field << 3 | VARINT);
	varint(b, v);
}

static void put_bytes(struct buf *b, u32 field, const void *data, size_t n)
{
	varint(b, field << 3 | LENGTH);
	varint(b, n);
	buf_mem(b, data, n);
}

/* A message within another; empties it. */
static void put_message(struct buf *b, u32 field, struct buf *message)
{
	put_bytes(b, field, message->data ?: "", message->len);
	buf_free(message);
}

/* Tables. String 0 is the empty one; other numbers count from 1, as 0 is none. */

static u32 string(struct pprof *p, const char *s)
{
	u32 id;

	if (s && !*s)
		s = NULL;
	if (number(p->strings, (struct pprof_key){ { (uintptr_t)s } }, &id))
		put_bytes(&p->tables, 6, s ?: "", s ? strlen(s) : 0);
	return id;
}

static u32 function(struct pprof *p, const char *name, const char *module)
{
	struct pprof_key key = { { (uintptr_t)name, (uintptr_t)module } };
	struct buf message = {};
	u32 id;

	if (number(p->functions, key, &id)) {
		put_number(&message, 1, id + 1);
		put_number(&message, 2, string(p, name));
		put_number(&message, 3, string(p, name));
		put_number(&message, 4, string(p, module));
		put_message(&p->tables, 5, &message);
	}
	return id + 1;
}

static u32 mapping(struct pprof *p, const struct pprof_frame *f)
{
	struct pprof_key key = { { (uintptr_t)f->module, (uintptr_t)f->build_id } };
	struct buf message = {};
	u32 id;

	if (!f->module)
		return 0;
	if (number(p->mappings, key, &id)) {
		put_number(&message, 1, id + 1);
		put_number(&message, 5, string(p, f->module));
		put_number(&message, 6, string(p, f->build_id));
		put_number(&message, 7, 1); /* has_functions: names need not be looked up again */
		put_message(&p->tables, 3, &message);
	}
	return id + 1;
}

static u32 location(struct pprof *p, const struct pprof_frame *f)
{
	u32 fn = function(p, f->name, f->module), map = mapping(p, f), id;
	struct buf message = {}, line = {};

	if (number(p->locations, (struct pprof_key){ { fn, map, f->address } }, &id)) {
		put_number(&message, 1, id + 1);
		if (map)
			put_number(&message, 2, map);
		put_number(&message, 3, f->address);
		put_number(&line, 1, fn);
		put_message(&message, 4, &line);
		put_message(&p->tables, 4, &message);
	}
	return id + 1;
}

static void put_label(struct pprof *p, struct buf *sample, const char *key, const char *s, u64 v)
{
	struct buf label = {};

	put_number(&label, 1, string(p, key));
	if (s)
		put_number(&label, 2, string(p, s));
	else
		put_number(&label, 3, v);
	put_message(sample, 3, &label);
}

void pprof_begin(struct pprof *p)
{
	*p = (struct pprof){ .strings = xcalloc(1, sizeof(*p->strings)),
			     .functions = xcalloc(1, sizeof(*p->functions)),
			     .mappings = xcalloc(1, sizeof(*p->mappings)),
			     .locations = xcalloc(1, sizeof(*p->locations)) };
	string(p, NULL);
}

void pprof_sample(struct pprof *p, const struct pprof_frame *frames, size_t n, u64 value,
		  const char *comm, u32 pid)
{
	static const char comm_key[] = "comm", pid_key[] = "pid"; /* their address tells strings */
	struct buf sample = {}, ids = {}, values = {};

	for (size_t i = 0; i < n; i++)
		varint(&ids, location(p, &frames[i]));
	varint(&values, value);
	put_message(&sample, 1, &ids); /* packed, as numbers are in proto3 */
	put_message(&sample, 2, &values);
	if (comm)
		put_label(p, &sample, comm_key, comm, 0);
	if (pid)
		put_label(p, &sample, pid_key, NULL, pid);
	put_message(&p->samples, 2, &sample);
}

static void ids_free(struct pprof_ids *ids)
{
	free(ids->keys);
	free(ids->slots);
	free(ids);
}

static void put_type(struct pprof *p, struct buf *b, u32 field, const char *type, const char *unit)
{
	struct buf message = {};

	put_number(&message, 1, string(p, type));
	put_number(&message, 2, string(p, unit));
	put_message(b, field, &message);
}

static int compress_into(struct buf *b, const struct buf *from)
{
	z_stream z = { .next_in = (u8 *)from->data, .avail_in = from->len };
	size_t most;
	int err;

	if (from->len > UINT32_MAX)
		return -EFBIG;
	if (deflateInit2(&z, Z_DEFAULT_COMPRESSION, Z_DEFLATED, 15 + 16, 8, Z_DEFAULT_STRATEGY))
		return -ENOMEM; /* 15 + 16: the largest window, and gzip's header */
	most = deflateBound(&z, from->len);
	z.next_out = (u8 *)buf_more(b, most);
	z.avail_out = most;
	err = deflate(&z, Z_FINISH) == Z_STREAM_END ? 0 : -ENOMEM;
	if (!err)
		b->len += z.total_out;
	deflateEnd(&z);
	return err;
}

int pprof_end(struct pprof *p, struct buf *b, const char *type, const char *unit, u64 duration_ns)
{
	struct timespec now;
	struct buf all = {};
	int err;

	put_type(p, &all, 1, type, unit);
	clock_gettime(CLOCK_REALTIME, &now);
	put_number(&all, 9, now.tv_sec * NSEC_PER_SEC + now.tv_nsec - duration_ns);
	put_number(&all, 10, duration_ns);
	put_type(p, &all, 11, type, unit);
	put_number(&all, 12, 1);
	buf_mem(&all, p->samples.data ?: "", p->samples.len);
	buf_mem(&all, p->tables.data ?: "", p->tables.len);
	err = compress_into(b, &all);
	buf_free(&all);
	buf_free(&p->samples);
	buf_free(&p->tables);
	ids_free(p->strings);
	ids_free(p->functions);
	ids_free(p->mappings);
	ids_free(p->locations);
	return err;
}
