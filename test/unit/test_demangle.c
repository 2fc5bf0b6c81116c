/* demangle: names of C++ and Rust, and what is none or would have no end. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>

#include "demangle.h"

static void expect(const char *mangled, const char *text)
{
	struct buf b = {};

	buf_str(&b, "before ");
	assert_int_equal(demangle(&b, mangled), text != NULL);
	buf_chr(&b, '\0');
	assert_string_equal(b.data + strlen("before "), text ?: "");
	buf_free(&b);
}

static void names(void **state)
{
	(void)state;
	expect("_ZN4deep5innerEl", "deep::inner(long)");
	expect("_ZNSt6vectorIiSaIiEE9push_backERKi",
	       "std::vector<int, std::allocator<int> >::push_back(int const&)");
	expect("_ZN3foo3barEv@plt", "foo::bar()@plt");
	expect("_ZTV3foo", "vtable for foo");
	/* Rust: the form of RFC 2603, and the older with its hash. */
	expect("_RNvCs1234_7mycrate3foo", "mycrate::foo");
	expect("_RINvNtCs1234_4core3ptr13drop_in_placemE", "core::ptr::drop_in_place::<u32>");
	expect("_ZN4core3ptr13drop_in_place17h0123456789abcdefE", "core::ptr::drop_in_place");
	expect("_ZN35_$LT$i32$u20$as$u20$core..Clone$GT$5clone17h0123456789abcdefE",
	       "<i32 as core::Clone>::clone");
}

static void none(void **state)
{
	(void)state;
	expect("main", NULL);
	expect("", NULL);
	expect("_", NULL);
	expect("_Z", NULL);
	expect("_R", NULL);
	expect("_ZN4deep", NULL);
	expect("_Zork", NULL);
	expect("_ZN4deep5innerElgarbage!", NULL);
	expect("_RNvCs1234_0mycrate3foo", NULL); /* an empty name, and then more */
}

static void off(void **state)
{
	(void)state;
	demangle_off = true;
	expect("_ZN4deep5innerEl", NULL);
	demangle_off = false;
}

/* A parameter that is a pair of the one before, forty times: 2^40 words, if one wrote them out. */
static void unfolds_without_end(void **state)
{
	char name[4096] = "_Z1f1aIiiE", *p = name + strlen(name);
	char deep[8192] = "_Z1f";

	(void)state;
	p += sprintf(p, "S_IS0_S0_E");
	for (int i = 0; i < 34; i++) {
		char id = i < 10 ? '0' + i : 'A' + i - 10;

		p += sprintf(p, "S_IS%c_S%c_E", id, id);
	}
	expect(name, NULL);
	memset(deep + 4, 'P', 4000);
	deep[4004] = 'i';
	deep[4005] = '\0';
	expect(deep, NULL); /* too deep, or too long: either way it stays what it is */
	memset(deep + 4, 'P', sizeof(deep) - 5);
	expect(deep, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(names),
		cmocka_unit_test(none),
		cmocka_unit_test(off),
		cmocka_unit_test(unfolds_without_end),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
