/*
 * What is built in: each has its typing and its instructions here. As in BCC, $pid of trace is the
 * kernel's, a thread, and $PID of argdist is a process.
 */
#include <string.h>

#include "expr/internal.h"
#include "util.h"

static const struct expr_type type_comm = {
	.kind = T_ARRAY, .size = 16, .count = 16, .to = &type_char, .name = ""
};

/* --- The current task --- */

/* Both ids by the namespace of the scope: tgid or tid. Tasks outside it are 0 there. */
static void emit_ns_id(struct gen *g, int dst, bool tgid)
{
	int slot = stack_take(g, 8); /* struct bpf_pidns_info: pid, tgid */

	load_const(g->code, R1, g->scope->pidns_dev);
	load_const(g->code, R2, g->scope->pidns_ino);
	mov_reg(g->code, R3, FP);
	alu_imm(g->code, BPF_ADD, true, R3, slot);
	alu_imm(g->code, BPF_MOV, true, R4, 8);
	call(g->code, BPF_FUNC_get_ns_current_pid_tgid);
	load_mem(g->code, 4, dst, FP, slot + (tgid ? 4 : 0));
	stack_give(g, 8);
}

/* One half of what a helper returns. */
static void emit_half(struct gen *g, int dst, int helper, bool high)
{
	call(g->code, helper);
	if (dst != R0)
		mov_reg(g->code, dst, R0);
	if (high)
		alu_imm(g->code, BPF_RSH, true, dst, 32);
}

static void emit_tgid(struct gen *g, int dst)
{
	if (g->scope->pidns_ino)
		emit_ns_id(g, dst, true);
	else
		emit_half(g, dst, BPF_FUNC_get_current_pid_tgid, true);
}

static void emit_tid(struct gen *g, int dst)
{
	if (g->scope->pidns_ino)
		emit_ns_id(g, dst, false);
	else
		emit_half(g, dst, BPF_FUNC_get_current_pid_tgid, false);
}

static void emit_uid(struct gen *g, int dst)
{
	emit_half(g, dst, BPF_FUNC_get_current_uid_gid, false);
}

static void emit_gid(struct gen *g, int dst)
{
	emit_half(g, dst, BPF_FUNC_get_current_uid_gid, true);
}

static void emit_cpu(struct gen *g, int dst)
{
	emit_half(g, dst, BPF_FUNC_get_smp_processor_id, false);
}

static void emit_random(struct gen *g, int dst)
{
	emit_half(g, dst, BPF_FUNC_get_prandom_u32, false);
}

static void emit_time(struct gen *g, int dst)
{
	emit_half(g, dst, BPF_FUNC_ktime_get_ns, false);
}

static void emit_task(struct gen *g, int dst)
{
	emit_half(g, dst, BPF_FUNC_get_current_task, false);
}

static void emit_comm(struct gen *g, int base, int offset)
{
	mov_reg(g->code, R1, base);
	alu_imm(g->code, BPF_ADD, true, R1, offset);
	alu_imm(g->code, BPF_MOV, true, R2, 16);
	call(g->code, BPF_FUNC_get_current_comm);
}

static struct node *check_task(struct compile *c, struct node *n)
{
	const struct expr_type *task = type_tagged(c->types, T_STRUCT, "task_struct") ?: &type_void;
	struct node *made = node_new(c, N_BUILTIN, n->pos, n->len);

	made->type = type_pointer(c->types, task, EXPR_SPACE_KERNEL);
	made->builtin = builtin_find("$task");
	return made;
}

/* --- The function's return, and its entry --- */

static struct node *check_retval(struct compile *c, struct node *n)
{
	const struct expr_name *ret = c->scope->retval;
	struct node *made = node_new(c, N_PLACE, n->pos, n->len);

	if (!ret)
		fail(c, n->pos, n->len,
		     "there is no return value but where a function returns (r:)");
	if (ret->type->kind == T_VOID)
		fail(c, n->pos, n->len, "the function returns nothing");
	made->type = ret->type;
	if (ret->type->kind == T_PTR && ret->type->space == EXPR_SPACE_ANY)
		made->type = type_pointer(c->types, type_to(c->types, ret->type), c->scope->space);
	made->place = &ret->place;
	return made;
}

static void emit_latency(struct gen *g, int dst)
{
	call(g->code, BPF_FUNC_ktime_get_ns);
	load_mem(g->code, 8, R1, FP, g->saved);
	load_mem(g->code, 8, R1, R1, g->scope->latency);
	alu_reg(g->code, BPF_SUB, true, R0, R1);
	if (dst != R0)
		mov_reg(g->code, dst, R0);
}

static struct node *check_latency(struct compile *c, struct node *n)
{
	struct node *made = node_new(c, N_BUILTIN, n->pos, n->len);

	if (!c->scope->latency)
		fail(c, n->pos, n->len, "there is no latency but where a function returns (r:)");
	made->type = &type_ulong;
	made->builtin = builtin_find("$latency");
	return made;
}

/* What stands between the parentheses, as the user wrote it. */
struct expr_source entry_source(struct compile *c, const struct node *n)
{
	const char *text = c->reading[0].start - c->base;
	u32 start = n->pos, end = n->pos + n->len - 1;

	if (!n->a || n->a->next)
		fail(c, n->pos, n->len, "$entry takes one expression");
	while (start < end && text[start] != '(')
		start++;
	if (start == end) /* a macro says it */
		return (struct expr_source){ text, n->a->pos, n->a->pos + n->a->len };
	return (struct expr_source){ text, start + 1, end };
}

static bool same_source(struct expr_source a, struct expr_source b)
{
	return a.end - a.start == b.end - b.start &&
	       !memcmp(a.text + a.start, b.text + b.start, a.end - a.start);
}

static struct node *check_entry(struct compile *c, struct node *n)
{
	struct expr_source source = entry_source(c, n);
	struct node *made = node_new(c, N_SAVED, n->pos, n->len);

	for (int i = 0; i < c->scope->nsaved; i++) {
		const struct expr_saved *s = &c->scope->saved[i];

		if (!same_source(s->source, source))
			continue;
		made->saved = s;
		made->type = s->value.kind == EXPR_STRING
				     ? type_array(c->types, &type_char, s->value.size)
				     : s->value.type;
		return made;
	}
	fail(c, n->pos, n->len, "nothing was saved at an entry, but where a function returns (r:)");
}

static struct node *check_strcmp(struct compile *c, struct node *n)
{
	struct node *a = n->a, *b = a ? a->next : NULL;

	if (!b || b->next)
		fail(c, n->pos, n->len, "STRCMP takes a string in quotes and a value");
	a = check(c, a);
	b = check(c, b);
	if (a->kind != N_STRING && b->kind != N_STRING)
		fail(c, a->pos, a->len, "one of the two must be a string in quotes");
	n = a->kind == N_STRING ? check_streq(c, b, a, c->scope->binary_strcmp)
				: check_streq(c, a, b, c->scope->binary_strcmp);
	return n;
}

/* htons() and the like of byteorder(3): the same both ways. */
static struct node *check_order(struct compile *c, struct node *n)
{
	const struct expr_type *type =
		expr_type_int(c->types, n->text[strlen(n->text) - 1] == 's' ? 2 : 4, false);

	if (!n->a || n->a->next)
		fail(c, n->pos, n->len, "%s takes one integer", n->text);
	return operation(c, N_SWAP, n, convert(c, check_integer(c, n->a), type), NULL, type);
}

static const struct builtin builtins[] = {
	{ "$PID", .type = &type_uint, .emit = emit_tgid },
	{ "$TGID", .type = &type_uint, .emit = emit_tgid },
	{ "$tgid", .type = &type_uint, .emit = emit_tgid },
	{ "$TID", .type = &type_uint, .emit = emit_tid },
	{ "$pid", .type = &type_uint, .emit = emit_tid },
	{ "$UID", .type = &type_uint, .emit = emit_uid },
	{ "$uid", .type = &type_uint, .emit = emit_uid },
	{ "$GID", .type = &type_uint, .emit = emit_gid },
	{ "$gid", .type = &type_uint, .emit = emit_gid },
	{ "$CPU", .type = &type_uint, .emit = emit_cpu },
	{ "$cpu", .type = &type_uint, .emit = emit_cpu },
	{ "$COMM", .type = &type_comm, .emit_text = emit_comm },
	{ "$comm", .type = &type_comm, .emit_text = emit_comm },
	{ "$task", .check = check_task, .emit = emit_task },
	{ "$random", .type = &type_uint, .emit = emit_random },
	{ "$ktime", .type = &type_ulong, .emit = emit_time },
	{ "$retval", .check = check_retval },
	{ "retval", .check = check_retval },
	{ "$latency", .check = check_latency, .emit = emit_latency },
	{ "$entry", true, .check = check_entry },
	{ "STRCMP", true, .check = check_strcmp },
	{ "ntohs", true, .check = check_order },
	{ "ntohl", true, .check = check_order },
	{ "htons", true, .check = check_order },
	{ "htonl", true, .check = check_order },
};

const struct builtin *builtin_find(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		if (!strcmp(builtins[i].name, name))
			return &builtins[i];
	return NULL;
}

void builtin_names(void (*each)(void *ctx, const char *name), void *ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(builtins); i++)
		each(ctx, builtins[i].name);
}

/* --- include/net/sock.h, inet_sock.h, request_sock.h, inet_timewait_sock.h --- */

static const struct {
	const char *tag, *name, *path;
} aliases[] = {
	{ "sock", "sk_node", "__sk_common.skc_node" },
	{ "sock", "sk_nulls_node", "__sk_common.skc_nulls_node" },
	{ "sock", "sk_refcnt", "__sk_common.skc_refcnt" },
	{ "sock", "sk_tx_queue_mapping", "__sk_common.skc_tx_queue_mapping" },
	{ "sock", "sk_rx_queue_mapping", "__sk_common.skc_rx_queue_mapping" },
	{ "sock", "sk_hash", "__sk_common.skc_hash" },
	{ "sock", "sk_portpair", "__sk_common.skc_portpair" },
	{ "sock", "sk_num", "__sk_common.skc_num" },
	{ "sock", "sk_dport", "__sk_common.skc_dport" },
	{ "sock", "sk_addrpair", "__sk_common.skc_addrpair" },
	{ "sock", "sk_daddr", "__sk_common.skc_daddr" },
	{ "sock", "sk_rcv_saddr", "__sk_common.skc_rcv_saddr" },
	{ "sock", "sk_family", "__sk_common.skc_family" },
	{ "sock", "sk_state", "__sk_common.skc_state" },
	{ "sock", "sk_reuse", "__sk_common.skc_reuse" },
	{ "sock", "sk_reuseport", "__sk_common.skc_reuseport" },
	{ "sock", "sk_ipv6only", "__sk_common.skc_ipv6only" },
	{ "sock", "sk_net_refcnt", "__sk_common.skc_net_refcnt" },
	{ "sock", "sk_bound_dev_if", "__sk_common.skc_bound_dev_if" },
	{ "sock", "sk_bind_node", "__sk_common.skc_bind_node" },
	{ "sock", "sk_prot", "__sk_common.skc_prot" },
	{ "sock", "sk_net", "__sk_common.skc_net" },
	{ "sock", "sk_v6_daddr", "__sk_common.skc_v6_daddr" },
	{ "sock", "sk_v6_rcv_saddr", "__sk_common.skc_v6_rcv_saddr" },
	{ "sock", "sk_cookie", "__sk_common.skc_cookie" },
	{ "sock", "sk_incoming_cpu", "__sk_common.skc_incoming_cpu" },
	{ "sock", "sk_flags", "__sk_common.skc_flags" },
	{ "sock", "sk_rxhash", "__sk_common.skc_rxhash" },
	{ "inet_sock", "inet_daddr", "sk.__sk_common.skc_daddr" },
	{ "inet_sock", "inet_rcv_saddr", "sk.__sk_common.skc_rcv_saddr" },
	{ "inet_sock", "inet_dport", "sk.__sk_common.skc_dport" },
	{ "inet_sock", "inet_num", "sk.__sk_common.skc_num" },
	{ "inet_request_sock", "ir_loc_addr", "req.__req_common.skc_rcv_saddr" },
	{ "inet_request_sock", "ir_rmt_addr", "req.__req_common.skc_daddr" },
	{ "inet_request_sock", "ir_num", "req.__req_common.skc_num" },
	{ "inet_request_sock", "ir_rmt_port", "req.__req_common.skc_dport" },
	{ "inet_request_sock", "ir_v6_rmt_addr", "req.__req_common.skc_v6_daddr" },
	{ "inet_request_sock", "ir_v6_loc_addr", "req.__req_common.skc_v6_rcv_saddr" },
	{ "inet_request_sock", "ir_iif", "req.__req_common.skc_bound_dev_if" },
	{ "inet_request_sock", "ireq_family", "req.__req_common.skc_family" },
	{ "inet_request_sock", "ireq_state", "req.__req_common.skc_state" },
	{ "inet_timewait_sock", "tw_family", "__tw_common.skc_family" },
	{ "inet_timewait_sock", "tw_state", "__tw_common.skc_state" },
	{ "inet_timewait_sock", "tw_daddr", "__tw_common.skc_daddr" },
	{ "inet_timewait_sock", "tw_rcv_saddr", "__tw_common.skc_rcv_saddr" },
	{ "inet_timewait_sock", "tw_dport", "__tw_common.skc_dport" },
	{ "inet_timewait_sock", "tw_num", "__tw_common.skc_num" },
	{ "inet_timewait_sock", "tw_v6_daddr", "__tw_common.skc_v6_daddr" },
	{ "inet_timewait_sock", "tw_v6_rcv_saddr", "__tw_common.skc_v6_rcv_saddr" },
};

const char *alias_of(const char *tag, const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (!strcmp(aliases[i].tag, tag) && !strcmp(aliases[i].name, name))
			return aliases[i].path;
	return NULL;
}

void alias_names(const char *tag, void (*each)(void *ctx, const char *name), void *ctx)
{
	for (size_t i = 0; i < ARRAY_SIZE(aliases); i++)
		if (!strcmp(aliases[i].tag, tag))
			each(ctx, aliases[i].name);
}
