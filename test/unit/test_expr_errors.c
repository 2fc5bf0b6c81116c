/* expr: what is refused, in what words, and where the caret stands; limits; damaged BTF. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <linux/btf.h>

#include "elffile.h"
#include "fixture/expr.h"
#include "util.h"

static void names(void **state)
{
	(void)state;
	is_error("d->word", "d", "nothing here is called 'd'");
	is_error("arg7", "arg7", "nothing here is called 'arg7'; did you mean 'arg1'?");
	is_error("$PIDD", "$PIDD", "nothing here is called '$PIDD'; did you mean '$PID'?");
	is_error("c->wrod", "wrod", "struct corpus has no member 'wrod'; did you mean 'word'?");
	is_error("c->nested.iner", "iner",
		 "struct (anonymous) has no member 'iner'; did you mean 'inner'?");
	is_error("c->no_such_thing_at_all", "no_such_thing_at_all",
		 "struct corpus has no member 'no_such_thing_at_all'");
	is_error("strcmp(\"a\", c->name)", "strcmp", "there is no function 'strcmp'");
	is_error("(struct corpas *)arg1", "corpas",
		 "there is no struct corpas; did you mean 'corpus'?");
	is_error("sizeof(struct no_such)", "no_such", "there is no struct no_such");
}

static void types_of_operands(void **state)
{
	(void)state;
	is_error("c.word", "c.word", "this is a pointer: use '->', not '.'");
	is_error("c->nested->inner", "c->nested->inner", "this is no pointer: use '.', not '->'");
	is_error("c->word.low", "c->word", "this is unsigned int, which has no members");
	is_error("arg1->word", "arg1",
		 "this is a number, not a pointer: cast it, as ((struct NAME *)arg1)->word");
	is_error("c->points + c->points", "c->points + c->points", "two pointers cannot be added");
	is_error("1 - c", "1 - c", "a pointer cannot be subtracted from a number");
	is_error("c * 2", "c", "a number is wanted here, and this is struct corpus *");
	is_error("-c", "c", "a number is wanted here, and this is struct corpus *");
	is_error("c->nested + 1", "c->nested",
		 "this is a struct (anonymous), not a number: choose a member of it");
	is_error("*c->word", "c->word", "this is unsigned int, not a pointer");
	is_error("*c->anything", "*c->anything",
		 "this is a void pointer: cast it to what it points to");
	is_error("c->word[1]", "c->word",
		 "this is unsigned int: only arrays and pointers have elements");
	is_error("&arg1", "&arg1", "this has no address: it is in no memory");
	is_error("&5", "&5", "this has no address: it is in no memory");
	is_error("c->floating > 1", "c->floating",
		 "BPF cannot calculate with floating-point values");
	is_error("1.5", "1.", "there are no floating-point numbers in BPF");
	is_error("(struct corpus)arg1", "(struct corpus)arg1",
		 "nothing can be cast to struct corpus");
	is_error("&c->numbers[1] - &c->points[0]", "&c->numbers[1] - &c->points[0]",
		 "these pointers point to different things");
	is_error("1 << 32", "32", "a number of 32 bits cannot be shifted by 32");
	is_error("arg1 >> -1", "-1", "a number of 64 bits cannot be shifted by -1");
}

static void syntax(void **state)
{
	(void)state;
	is_error("", "", "a value is missing here");
	is_error("1 +", "", "a value is missing here");
	is_error("(1", "", "')' is missing here");
	is_error("1)", ")", "an operator, or the end, was expected here");
	is_error("c->", "", "the name of a member is missing here");
	is_error("c->5", "5", "the name of a member was expected here");
	is_error("arg1 = 5", "=", "nothing can be assigned here; '==' compares");
	is_error("arg1 ? 5", "", "':' is missing here");
	is_error("c->numbers[1", "", "']' is missing here");
	is_error("1 ` 2", "`", "this is no C");
	is_error("'ab'", "'ab'", "this is not one character");
	is_error("'\\q'", "\\q", "there is no such escape sequence");
	is_error("0x", "0x", "this is not a number");
	is_error("08", "08", "this is not a number");
	is_error("12ab", "12a", "this is not a number");
	is_error("99999999999999999999", "99999999999999999999", "the number does not fit 64 bits");
	is_error("(unsigned", "", "')' after the type is missing here");
	is_error("1 2", "2", "an operator, or the end, was expected here");
}

static void limits(void **state)
{
	char deep[4000], text[260];
	struct expr_source source;

	(void)state;
	memset(deep, '(', sizeof(deep));
	deep[sizeof(deep) - 1] = '\0';
	eval(deep);
	assert_string_equal(result.error.text, "the expression is nested too deeply");
	memset(deep, '-', sizeof(deep) - 2);
	eval(deep);
	assert_string_equal(result.error.text, "the expression is nested too deeply");
	for (size_t i = 0; i + 2 < sizeof(deep); i += 2)
		memcpy(deep + i, "1+", 2);
	eval(deep);
	assert_string_equal(result.error.text, "the expression is nested too deeply");
	memset(text, 'x', sizeof(text));
	memcpy(text, "c->name==\"", 10);
	memcpy(text + sizeof(text) - 2, "\"", 2);
	eval(text);
	assert_string_equal(result.error.text, "at most 200 bytes can be compared");
	source = (struct expr_source){ text, 0, 5000 };
	assert_null(expr_type_parse(types, source, &result.error));
	assert_string_equal(result.error.text, "the expression is too long");
}

/* A part of a longer text: errors are about places in the whole. */
static void parts(void **state)
{
	static const char text[] = "p::work(struct corpus *c) (c->wrod == 1) \"%d\", arg1";
	struct expr_source source = { text, 27, 39 };
	struct expr_prog *p = expr_prog_new(&scope);
	struct expr_error err;
	struct buf b = {};

	(void)state;
	assert_false(expr_filter(p, source, -1, &err));
	expr_caret(&b, text, &err);
	buf_chr(&b, '\0');
	assert_string_equal(b.data, "p::work(struct corpus *c) (c->wrod == 1) \"%d\", arg1\n"
				    "                              ^~~~\n");
	buf_free(&b);
	expr_prog_free(p);
	expr_caret(&b, "one\ntwo\x1b + x\nthree", &(struct expr_error){ .pos = 11, .len = 90 });
	buf_chr(&b, '\0');
	assert_string_equal(b.data, "two\\x1b + x\n          ^\n");
	buf_free(&b);
	expr_caret(&b, "é + x", &(struct expr_error){ .pos = 5, .len = 1 });
	buf_chr(&b, '\0');
	assert_string_equal(b.data, "é + x\n    ^\n");
	buf_free(&b);
}

static void without_btf(void **state)
{
	struct expr_types *none;
	struct expr_name names[8];

	(void)state;
	expr_types_none(&none);
	scope.types = none;
	scope.nnames = expr_args(none, scope.arch, names);
	scope.names = names;
	is_number("arg2 + sizeof(size_t) + (unsigned short)arg4", 2 + 8 + 65532);
	is_number("((u32 *)arg1)[0] == *(unsigned *)arg1", 1);
	is_error("((struct sock *)arg1)->x", "sock",
		 "nothing is known of struct sock: there is no BTF here");
	is_error("c", "c", "nothing here is called 'c'");
	is_number("$task != 0", 0);
	expr_types_free(none);
}

/* --- BTF made here --- */

struct made {
	u32 types[256], n;
	char strings[64];
	u32 len;
};

static void put(struct made *m, int n, ...)
{
	va_list ap;

	va_start(ap, n);
	while (n--)
		m->types[m->n++] = va_arg(ap, u32);
	va_end(ap);
}

#define INFO(kind, flag, vlen) ((u32)(flag) << 31 | (u32)BTF_KIND_##kind << 24 | (vlen))

static int load(struct expr_types **t, const struct made *m)
{
	struct btf_header h = { .magic = BTF_MAGIC,
				.version = 1,
				.hdr_len = sizeof(h),
				.type_len = m->n * 4,
				.str_off = m->n * 4,
				.str_len = m->len };
	u8 file[2048];

	memcpy(file, &h, sizeof(h));
	memcpy(file + sizeof(h), m->types, m->n * 4);
	memcpy(file + sizeof(h) + m->n * 4, m->strings, m->len);
	return expr_types_load_mem(t, file, sizeof(h) + m->n * 4 + m->len);
}

static const char strings[] = "\0s\0a\0b\0int\0WIDE\0user";
enum { NAME_S = 1, NAME_A = 3, NAME_B = 5, NAME_INT = 7, NAME_WIDE = 11, NAME_USER = 16 };

static void begin(struct made *m)
{
	*m = (struct made){ .len = sizeof(strings) };
	memcpy(m->strings, strings, sizeof(strings));
}

static void enums_of_64_bits(void **state)
{
	struct expr_types *t;
	struct made m;

	(void)state;
	begin(&m);
	put(&m, 6, NAME_S, INFO(ENUM64, 0, 1), 8, NAME_WIDE, 0x56789abc, 0x1234);
	assert_int_equal(load(&t, &m), 0);
	scope.types = t;
	is_number("WIDE", 0x123456789abc);
	is_number("sizeof(enum s)", 8);
	expr_types_free(t);
}

/* Before kind_flag: the width of a bit field is in a type made for it. */
static void old_bit_fields(void **state)
{
	struct expr_types *t;
	struct made m;

	(void)state;
	begin(&m);
	put(&m, 4, NAME_INT, INFO(INT, 0, 0), 4, BTF_INT_SIGNED << 24 | 3);
	put(&m, 3, NAME_S, INFO(STRUCT, 0, 1), 4);
	put(&m, 3, NAME_A, 1, 5);
	assert_int_equal(load(&t, &m), 0);
	scope.types = t;
	regs.di = (u64) & (u32){ 5 << 5 };
	is_number("((struct s *)arg1)->a", -3);
	expr_types_free(t);
}

/* Types that contain themselves, and refer to what is not there, end. */
static void loops(void **state)
{
	static const char *const sources[] = {
		"((struct s *)arg1)->a",
		"((struct s *)arg1)->b",
		"((struct s *)arg1)->none",
		"*((struct s *)arg1)->a",
		"sizeof(struct s)",
		"(s)arg1",
		"((struct s *)arg1)->a[1]",
		"((struct s *)arg1)->a->b.a",
		"sizeof(((struct s *)arg1)->a)",
	};
	static const u32 kinds[] = {
		INFO(PTR, 0, 0),      INFO(TYPEDEF, 0, 0), INFO(CONST, 0, 0),
		INFO(TYPE_TAG, 0, 0), INFO(FWD, 0, 0),     INFO(FUNC, 0, 0),
		INFO(INT, 0, 0),      INFO(FLOAT, 0, 0),   INFO(VOLATILE, 0, 0)
	};

	(void)state;
	compile_only = true;
	for (u32 kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (u32 to = 0; to < 6; to++) {
			struct expr_types *t;
			struct made m;

			begin(&m);
			put(&m, 3, NAME_S, kinds[kind], to);
			if (kinds[kind] == INFO(INT, 0, 0))
				put(&m, 1, 0xffffffff);
			put(&m, 3, NAME_S, INFO(STRUCT, 1, 4), 0xffffffff);
			put(&m, 12, 0, 2, 0, 0, 2, 0, NAME_A, 1, 0xffffffff, NAME_B, 3, 8);
			put(&m, 6, 0, INFO(ARRAY, 0, 0), 0, 3, 3, 0xffffffff);
			put(&m, 6, 0, INFO(ARRAY, 0, 0), 0, 1, 1, 0xffffffff);
			assert_int_equal(load(&t, &m), 0);
			scope.types = t;
			for (size_t i = 0; i < ARRAY_SIZE(sources); i++)
				eval(sources[i]);
			expr_types_free(t);
		}
}

/* Every byte of real BTF damaged, a few ways: refused or used, never believed. */
static void damaged(void **state)
{
	struct expr_types *t;
	struct elf_file f;
	const Elf64_Shdr *s;
	size_t size;
	char *elf = read_file(CORPUS_BTF, 1 << 20, &size);
	u32 accepted = 0;
	u8 *btf;

	(void)state;
	compile_only = true;
	assert_int_equal(elf_open_mem(&f, elf, size), 0);
	assert_int_equal(elf_read_sections(&f), 0);
	assert_int_equal(elf_section(&f, ".BTF", &s), 0);
	assert_int_equal(elf_content(&f, s, &btf), 0);
	for (u32 i = 0; i < s->sh_size; i++) {
		u8 was = btf[i];

		btf[i] ^= i % 2 ? 0xff : 1;
		if (!expr_types_load_mem(&t, btf, s->sh_size)) {
			scope.types = t;
			accepted++;
			eval("((struct corpus *)arg1)->nested.deep.deepest + RED");
			expr_types_free(t);
		}
		btf[i] = was;
	}
	assert_in_range(accepted, s->sh_size / 2, s->sh_size - 10);
	for (u32 n = 0; n < s->sh_size; n++)
		assert_int_equal(expr_types_load_mem(&t, btf, n), -EINVAL);
	free(btf);
	elf_close(&f);
	free(elf);
}

static void modules(void **state)
{
	struct expr_types *t;
	struct btf_header h = { .magic = BTF_MAGIC,
				.version = 1,
				.hdr_len = sizeof(h),
				.type_len = 24 + 4 * 3,
				.str_off = 24 + 4 * 3,
				.str_len = 4 };
	u8 file[sizeof(h) + 64];
	struct made m;
	u32 *p = (u32 *)(file + sizeof(h));

	(void)state;
	begin(&m);
	put(&m, 4, NAME_INT, INFO(INT, 0, 0), 4, BTF_INT_SIGNED << 24 | 32);
	assert_int_equal(load(&t, &m), 0);
	/* struct mod { int a; }, and a typedef of it called "s", a name of the kernel's. */
	memcpy(file, &h, sizeof(h));
	memcpy(p,
	       (u32[]){ sizeof(strings), INFO(STRUCT, 0, 1), 4, NAME_A, 1, 0, NAME_S,
			INFO(TYPEDEF, 0, 0), 2 },
	       36);
	memcpy(file + sizeof(h) + 36, "mod", 4);
	assert_int_equal(expr_types_module_mem(t, file, sizeof(h) + 40), 0);
	assert_int_equal(expr_types_module_mem(t, file, sizeof(h) + 40), -EINVAL);
	scope.types = t;
	regs.di = (u64) & (int){ -12 };
	is_number("((struct mod *)arg1)->a", -12);
	is_number("((s *)arg1)->a", -12);
	is_number("sizeof(struct mod)", 4);
	expr_types_free(t);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(names, expr_reset),
		cmocka_unit_test_setup(types_of_operands, expr_reset),
		cmocka_unit_test_setup(syntax, expr_reset),
		cmocka_unit_test_setup(limits, expr_reset),
		cmocka_unit_test_setup(parts, expr_reset),
		cmocka_unit_test_setup(without_btf, expr_reset),
		cmocka_unit_test_setup(enums_of_64_bits, expr_reset),
		cmocka_unit_test_setup(old_bit_fields, expr_reset),
		cmocka_unit_test_setup(loops, expr_reset),
		cmocka_unit_test_setup(damaged, expr_reset),
		cmocka_unit_test_setup(modules, expr_reset),
	};

	return cmocka_run_group_tests(tests, expr_setup, expr_teardown);
}
