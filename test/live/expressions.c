/*
 * Random expressions in a kernel: each is compiled, loaded and run by BPF_PROG_TEST_RUN (bpf(2)),
 * and must give what the C compiler makes of it. The program is a raw tracepoint's, whose words are
 * the test's own; memory is this process's. Prints how many were alike; those that differ go to
 * stderr.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <bpf/bpf.h>
#include <bpf/libbpf.h>

#include "fixture/expr.h"
#include "fixture/expressions.h"

#define RECORD 64 /* bytes: faults, a value */

static struct expr_name names[4];
static u64 words[4] = { (u64)&corpus, 2, 3, -4 };
static int map, ncpus;

static int load(struct expr_prog *p)
{
	const struct bpf_insn *code;
	struct bpf_insn *own;
	int fd;
	u32 n;

	if (expr_finish(p))
		return -E2BIG;
	code = expr_code(p, &n);
	own = malloc(n * sizeof(*own));
	memcpy(own, code, n * sizeof(*own));
	for (u32 i = 0; i < n; i++)
		if (own[i].code == (BPF_LD | BPF_IMM | BPF_DW) &&
		    own[i].src_reg == BPF_PSEUDO_MAP_FD)
			own[i].imm = map;
	fd = bpf_prog_load(BPF_PROG_TYPE_RAW_TRACEPOINT, "expression", "GPL", own, n, NULL);
	free(own);
	return fd;
}

/* The value that the CPU which ran the program has in its record. */
static bool take(const struct expr_value *v, long *value)
{
	int unused = 64 - 8 * v->size, zero = 0;
	u64 all[ncpus][RECORD / 8], bits = 0;

	if (bpf_map_lookup_elem(map, &zero, all))
		return false;
	for (int cpu = 0; cpu < ncpus; cpu++) {
		if (!all[cpu][1])
			continue; /* the mark: it ran elsewhere */
		memcpy(&bits, (char *)all[cpu] + v->offset, v->size);
		*value = v->is_signed ? (long)(bits << unused) >> unused : (long)bits;
		return !(all[cpu][0] >> v->fault & 1);
	}
	return false;
}

static bool run(const char *source, long *value)
{
	LIBBPF_OPTS(bpf_test_run_opts, opts, .ctx_in = words, .ctx_size_in = sizeof(words));
	u64 none[ncpus][RECORD / 8];
	struct expr_prog *p = expr_prog_new(&scope);
	struct expr_error err = {};
	struct expr_value v;
	int fd = -1, zero = 0;
	bool done = false;

	memset(none, 0, sizeof(none));
	bpf_map_update_elem(map, &zero, none, BPF_ANY);
	expr_record(p, 0, 16, 0);
	expr_put_const(p, 8, 1, 8);
	if (!expr_value(p, expr_source(source), EXPR_AS_IS, 0, &v, &err))
		fprintf(stderr, "%s: %s\n", source, err.text);
	else if ((fd = load(p)) < 0)
		fprintf(stderr, "%s: does not load: %s\n", source, strerror(-fd));
	else if (bpf_prog_test_run_opts(fd, &opts))
		fprintf(stderr, "%s: does not run: %s\n", source, strerror(errno));
	else if (!take(&v, value))
		fprintf(stderr, "%s: a fault\n", source);
	else
		done = true;
	if (fd >= 0)
		close(fd);
	expr_prog_free(p);
	return done;
}

int main(void)
{
	int alike = 0;

	ncpus = libbpf_num_possible_cpus();
	map = bpf_map_create(BPF_MAP_TYPE_PERCPU_ARRAY, "record", 4, RECORD, 1, NULL);
	if (ncpus < 1 || map < 0 || expr_setup(NULL)) {
		perror("expressions");
		return 1;
	}
	expr_reset(NULL);
	memcpy(names,
	       (struct expr_name[]){ scope.names[6], scope.names[1], scope.names[2],
				     scope.names[3] },
	       sizeof(names)); /* c, arg2, arg3, arg4 */
	expr_place_words(names, 4);
	for (int i = 0; i < 4; i++)
		names[i].place.typed = false;
	scope.names = names;
	scope.nnames = 4;
	scope.space = EXPR_SPACE_USER;
	for (int i = 0; i < nexpressions; i++) {
		const struct expression *e = &expressions[i];
		long wanted = e->value(&corpus, words[1], words[2], words[3]), value;

		if (!run(e->source, &value))
			continue;
		if (value == wanted)
			alike++;
		else
			fprintf(stderr, "%s: %ld, not %ld\n", e->source, value, wanted);
	}
	printf("expressions %d alike %d\n", nexpressions, alike);
	return alike != nexpressions;
}
