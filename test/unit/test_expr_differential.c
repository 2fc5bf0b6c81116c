/* expr: a thousand random expressions, against what the C compiler makes of them. */
#include "fixture/expr.h"
#include "fixture/expressions.h"

static void as_the_c_compiler(void **state)
{
	(void)state;
	for (int i = 0; i < nexpressions; i++) {
		const struct expression *e = &expressions[i];

		is_number(e->source, e->value(&corpus, regs.si, regs.dx, regs.cx));
		if (result.value.size != (u32)e->size || result.value.is_signed != e->is_signed)
			fail_msg("%s: %d bytes, signed %d; not %d, %d", e->source,
				 result.value.size, result.value.is_signed, e->size, e->is_signed);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(as_the_c_compiler, expr_reset),
	};

	return cmocka_run_group_tests(tests, expr_setup, expr_teardown);
}
