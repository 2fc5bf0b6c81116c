/* expr: literals, operators, conversions, as C has them. */
#include "fixture/expr.h"

static void literals(void **state)
{
	(void)state;
	is_number("1", 1);
	is_number("0x7f", 127);
	is_number("017", 15);
	is_number("0b101", 5);
	is_number("'a'", 'a');
	is_number("'\\n'", '\n');
	is_number("'\\x41'", 'A');
	is_number("'\\101'", 'A');
	is_number("'\\0'", 0);
	is_number("'\\xff'", -1);
	is_number("4294967295", 4294967295);
	is_number("18446744073709551615u", -1);
	is_number("2147483648 > 0", 1);
	is_number("-1 < 0u", 0);
	is_number("0xffffffff == -1", 1);
	is_number("4294967295 == -1", 0);
	is_number("1ul << 40", 1l << 40);
	is_number("sizeof(1)", 4);
	is_number("sizeof(1l)", 8);
	is_number("sizeof(2147483648)", 8);
	is_number("sizeof(0x80000000)", 4);
	is_number("sizeof 'a'", 4);
	is_number("sizeof(\"text\")", 5);
}

static void arithmetic(void **state)
{
	(void)state;
	is_number("1 + 2 * 3", 7);
	is_number("(1 + 2) * 3", 9);
	is_number("10 - 4 - 3", 3);
	is_number("arg2 + arg3 * 2", 8);
	is_number("arg3 - arg2", 1);
	is_number("(int)arg2 - (int)arg3", -1);
	is_number("arg2 - arg3", -1);
	is_number("-arg2", -2);
	is_number("~arg2", ~2l);
	is_number("+arg2", 2);
	is_number("!arg2", 0);
	is_number("!!arg2", 1);
	is_number("arg2 & 6", 2);
	is_number("arg2 | 5", 7);
	is_number("arg2 ^ arg3", 1);
	is_number("1 << arg3", 8);
	is_number("-16 >> arg2", -4);
	is_number("(unsigned)-16 >> arg2", 0xfffffff0u >> 2);
	is_number("(long)arg4 >> 1", -2);
	is_number("arg4 >> 1", (s64)(-4ul >> 1));
	is_number("arg3 * 0x123456789abcdef", 0x123456789abcdef * 3);
	is_number("arg2 + 0x123456789abcdef", 0x123456789abcdf1);
	is_number("2 - arg2 + (3 - arg3) + (4 - (5 - arg5)) * (arg6 + (arg2 - arg3 * (arg5 + 1)))",
		  4 * (6 + 2 - 3 * 6));
}

static void division(void **state)
{
	(void)state;
	is_number("7 / 2", 3);
	is_number("-7 / 2", -3);
	is_number("-7 % 2", -1);
	is_number("7 % -2", 1);
	is_number("c->ints.s32 / 7", -2000000000 / 7);
	is_number("c->ints.s32 / -7", -2000000000 / -7);
	is_number("c->ints.s32 % 7", -2000000000 % 7);
	is_number("c->ints.s32 % -7", -2000000000 % -7);
	is_number("c->ints.s32 / c->numbers[7]", -2000000000 / -17);
	is_number("c->ints.s32 % c->numbers[0]", 0);
	is_number("c->numbers[7] / c->numbers[1]", -17 / 11);
	is_number("c->numbers[7] % c->numbers[1]", -17 % 11);
	is_number("c->ints.s64 / 1000", -9000000000000000000ll / 1000);
	is_number("c->ints.s64 % 1007", -9000000000000000000ll % 1007);
	is_number("c->ints.s64 / c->numbers[7]", -9000000000000000000ll / -17);
	is_number("c->ints.u64 / 10", 1800000000000000000ll);
	is_number("c->ints.u64 % 7", 18000000000000000000ull % 7);
	is_number("c->ints.u32 / 3", 4000000000u / 3);
	is_number("c->ints.s32 / 2u", (u32)-2000000000 / 2);
	is_number("(-2147483647 - 1) / arg2 * 2", (s64)((u64)(s64)(-2147483647 - 1) / 2 * 2));
	is_fault("1 / c->zero");
	is_fault("1 % c->zero");
	is_fault("arg2 / (arg3 - 3)");
	is_error("1 / 0", "0", "division by zero");
	is_error("arg1 % (2 - 2)", "2 - 2", "division by zero");
}

static void comparisons(void **state)
{
	(void)state;
	is_number("arg2 < arg3", 1);
	is_number("arg2 > arg3", 0);
	is_number("arg2 <= 2", 1);
	is_number("arg2 >= 3", 0);
	is_number("arg2 == 2", 1);
	is_number("arg2 != 2", 0);
	is_number("arg4 < 0", 0);
	is_number("(long)arg4 < 0", 1);
	is_number("(int)arg4 < 0", 1);
	is_number("(int)arg4 < arg2", 0);
	is_number("c->ints.s8 < c->ints.u8", 1);
	is_number("c->ints.s32 < c->ints.u32", 1);
	is_number("c->ints.s32 < (int)c->ints.u32", 1);
	is_number("c->ints.s64 < c->ints.u64", 1);
	is_number("c->ints.s64 > c->ints.u32", 0);
	is_number("c->ints.u16 == 60000", 1);
	is_number("c->ints.s16 == -30000", 1);
}

static void logic(void **state)
{
	(void)state;
	is_number("arg2 && arg3", 1);
	is_number("arg2 && 0", 0);
	is_number("0 || arg3", 1);
	is_number("arg2 == 3 || arg3 == 3", 1);
	is_number("arg2 == 3 || arg3 == 4", 0);
	is_number("!(arg2 == 3 || arg3 == 4) && (arg5 == 5 && arg6 == 6)", 1);
	is_number("arg2 == 2 && !(arg3 == 3 && arg5 == 6)", 1);
	is_number("0 && 1 / c->zero", 0);
	is_number("c->zero && 1 / c->zero", 0);
	is_number("arg2 || 1 / c->zero", 1);
	is_number("arg2 ? 10 : 20", 10);
	is_number("c->zero ? 10 : 20", 20);
	is_number("arg2 == 3 ? 1 : arg3 == 3 ? 2 : 3", 2);
	is_number("c->zero ? 1 / c->zero : 5", 5);
	is_number("1 ? 2 : arg1", 2);
	is_number("(arg2 ? -1 : 0u) > 0", 1);
	is_number("(arg2 && arg3) + (arg2 > 1) * 2", 3);
}

static void casts(void **state)
{
	(void)state;
	is_number("(char)300", 44);
	is_number("(unsigned char)-1", 255);
	is_number("(s8)arg4", -4);
	is_number("(u8)arg4", 252);
	is_number("(short)arg4", -4);
	is_number("(u16)arg4", 65532);
	is_number("(int)arg4", -4);
	is_number("(u32)arg4", 4294967292);
	is_number("(u64)(u32)arg4", 4294967292);
	is_number("(s64)(int)arg4", -4);
	is_number("(u64)(s8)arg4", -4);
	is_number("(u32)(s8)arg4 == 0xfffffffc", 1);
	is_number("(bool)arg4", 1);
	is_number("(_Bool)c->zero", 0);
}

static void ints(void **state)
{
	(void)state;
	is_number("c->ints.s8", -100);
	is_number("c->ints.u8", 200);
	is_number("c->ints.s16", -30000);
	is_number("c->ints.u16", 60000);
	is_number("c->ints.s32", -2000000000);
	is_number("c->ints.u32", 4000000000);
	is_number("c->ints.s64", -9000000000000000000ll);
	is_number("c->ints.u64", (s64)18000000000000000000ull);
	is_number("c->ints.c", 'c');
	is_number("c->ints.b", 1);
	is_number("c->ints.s8 + 0", -100);
	is_number("c->ints.s8 + c->ints.u8", 100);
	is_number("c->ints.u8 - c->ints.u16", 200 - 60000);
	is_number("c->ints.s16 * c->ints.s16", 900000000);
	is_number("c->ints.s8 + 0l", -100);
	is_number("c->ints.s8 + 0ul", -100);
	is_number("c->ints.u32 + 0l", 4000000000);
	is_number("c->ints.s32 + c->ints.u32", 2000000000);
	is_number("c->ints.u8 << 24", (s32)(200u << 24));
	is_number("-c->ints.u32", 294967296);
	is_number("~c->ints.u8", ~200);
	is_number("-c->ints.u8", -200);
}

static void enums(void **state)
{
	(void)state;
	is_number("c->ints.color == BLUE", 1);
	is_number("c->ints.color", 200);
	is_number("c->ints.sign", -3);
	is_number("c->ints.sign == BELOW", 1);
	is_number("c->ints.sign < 0", 1);
	is_number("GREEN + 1", 6);
	is_number("BELOW", -3);
	is_number("(enum color)5 == GREEN", 1);
	is_number("sizeof(enum color)", 4);
}

static void order_of_bytes(void **state)
{
	(void)state;
	is_number("ntohs(0x1234)", 0x3412);
	is_number("ntohl(0x12345678)", 0x78563412);
	is_number("htons(53) == 13568", 1);
	is_number("ntohs(c->ints.u16)", 0x60ea);
	is_number("ntohs(c->ints.u8) >> 8", 200);
	is_number("htonl(c->ints.s32) == ntohl(c->ints.s32)", 1);
	is_number("ntohl(ntohl(c->ints.u32))", 4000000000);
	is_number("sizeof(ntohs(1)) + sizeof(htonl(1))", 6);
	is_error("ntohs(1, 2)", "ntohs(1, 2)", "ntohs takes one integer");
	is_error("ntohs()", "ntohs()", "ntohs takes one integer");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(literals, expr_reset),
		cmocka_unit_test_setup(arithmetic, expr_reset),
		cmocka_unit_test_setup(division, expr_reset),
		cmocka_unit_test_setup(comparisons, expr_reset),
		cmocka_unit_test_setup(logic, expr_reset),
		cmocka_unit_test_setup(casts, expr_reset),
		cmocka_unit_test_setup(ints, expr_reset),
		cmocka_unit_test_setup(enums, expr_reset),
		cmocka_unit_test_setup(order_of_bytes, expr_reset),
	};

	return cmocka_run_group_tests(tests, expr_setup, expr_teardown);
}
