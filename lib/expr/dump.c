/* Instructions as text, in the way the verifier and llvm-objdump write them. */
#include "expr/internal.h"
#include "util.h"

static const char *const sizes[] = {
	[BPF_W >> 3] = "u32", [BPF_H >> 3] = "u16", [BPF_B >> 3] = "u8", [BPF_DW >> 3] = "u64"
};
static const char *const alu_ops[] = { "+=",  "-=", "*=", "/=", "|=",   "&=",  "<<=", ">>=",
				       "neg", "%=", "^=", "=",  "s>>=", "end", "?",   "?" };
static const char *const jump_ops[] = { "goto", "==",   ">", ">=", "&",  "!=",  "s>", "s>=",
					"call", "exit", "<", "<=", "s<", "s<=", "?",  "?" };

static const char *helper(int id)
{
	switch (id) {
#define HELPER(name)                                                                               \
	case BPF_FUNC_##name: return #name
		HELPER(map_lookup_elem);
		HELPER(map_update_elem);
		HELPER(map_delete_elem);
		HELPER(ktime_get_ns);
		HELPER(get_prandom_u32);
		HELPER(get_smp_processor_id);
		HELPER(get_current_pid_tgid);
		HELPER(get_current_uid_gid);
		HELPER(get_current_comm);
		HELPER(perf_event_output);
		HELPER(get_stack);
		HELPER(get_current_task);
		HELPER(get_current_ancestor_cgroup_id);
		HELPER(probe_read_user);
		HELPER(probe_read_kernel);
		HELPER(probe_read_user_str);
		HELPER(probe_read_kernel_str);
		HELPER(get_ns_current_pid_tgid);
		HELPER(ringbuf_output);
		HELPER(get_attach_cookie);
		HELPER(get_func_ip);
#undef HELPER
	default: return NULL;
	}
}

static void memory(struct buf *b, const struct bpf_insn *i, int reg)
{
	buf_fmt(b, "*(%s *)(r%d %c %d)", sizes[BPF_SIZE(i->code) >> 3], reg, i->off < 0 ? '-' : '+',
		i->off < 0 ? -i->off : i->off);
}

static void alu(struct buf *b, const struct bpf_insn *i)
{
	char r = BPF_CLASS(i->code) == BPF_ALU64 ? 'r' : 'w';
	int op = BPF_OP(i->code) >> 4;

	if (BPF_OP(i->code) == BPF_NEG)
		buf_fmt(b, "%c%d = -%c%d", r, i->dst_reg, r, i->dst_reg);
	else if (BPF_OP(i->code) == BPF_END)
		buf_fmt(b, "r%d = be%d r%d", i->dst_reg, i->imm, i->dst_reg);
	else if (BPF_SRC(i->code) == BPF_X)
		buf_fmt(b, "%c%d %s %c%d", r, i->dst_reg, alu_ops[op], r, i->src_reg);
	else
		buf_fmt(b, "%c%d %s %d", r, i->dst_reg, alu_ops[op], i->imm);
}

static void jump_text(struct buf *b, const struct bpf_insn *i, u32 at)
{
	char r = BPF_CLASS(i->code) == BPF_JMP ? 'r' : 'w';
	int op = BPF_OP(i->code) >> 4;

	switch (BPF_OP(i->code)) {
	case BPF_CALL:
		if (helper(i->imm))
			buf_fmt(b, "call %s", helper(i->imm));
		else
			buf_fmt(b, "call %d", i->imm);
		return;
	case BPF_EXIT: buf_str(b, "exit"); return;
	case BPF_JA: break;
	default:
		buf_fmt(b, "if %c%d %s ", r, i->dst_reg, jump_ops[op]);
		if (BPF_SRC(i->code) == BPF_X)
			buf_fmt(b, "%c%d ", r, i->src_reg);
		else
			buf_fmt(b, "%d ", i->imm);
	}
	buf_fmt(b, "goto %d", (int)at + 1 + i->off);
}

static void atomic(struct buf *b, const struct bpf_insn *i)
{
	buf_str(b, i->imm & BPF_FETCH ? "fetch " : "lock ");
	memory(b, i, i->dst_reg);
	buf_fmt(b, " %s r%d", alu_ops[(i->imm & 0xf0) >> 4], i->src_reg);
}

static void one(struct buf *b, const struct bpf_insn *i, u32 at)
{
	switch (BPF_CLASS(i->code)) {
	case BPF_ALU:
	case BPF_ALU64: alu(b, i); break;
	case BPF_JMP:
	case BPF_JMP32: jump_text(b, i, at); break;
	case BPF_LDX:
		buf_fmt(b, "r%d = ", i->dst_reg);
		memory(b, i, i->src_reg);
		break;
	case BPF_ST:
		memory(b, i, i->dst_reg);
		buf_fmt(b, " = %d", i->imm);
		break;
	case BPF_STX:
		if (BPF_MODE(i->code) == BPF_ATOMIC) {
			atomic(b, i);
			break;
		}
		memory(b, i, i->dst_reg);
		buf_fmt(b, " = r%d", i->src_reg);
		break;
	default: buf_fmt(b, "code %#x", i->code);
	}
}

void expr_dump(struct buf *b, const struct bpf_insn *code, u32 n)
{
	for (u32 at = 0; at < n; at++) {
		const struct bpf_insn *i = &code[at];

		buf_fmt(b, "%4u: ", at);
		if (i->code == (BPF_LD | BPF_IMM | BPF_DW) && at + 1 < n) {
			if (i->src_reg == BPF_PSEUDO_MAP_FD)
				buf_fmt(b, "r%d = map %d", i->dst_reg, i->imm);
			else
				buf_fmt(b, "r%d = %#llx ll", i->dst_reg,
					(u64)(u32)i->imm | (u64)(u32)i[1].imm << 32);
			at++;
		} else {
			one(b, i, at);
		}
		buf_chr(b, '\n');
	}
}
