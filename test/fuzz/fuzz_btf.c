/* Any bytes as BTF: no fault, no type without an end, whatever is asked of it. */
#include "expr/expr.h"

int LLVMFuzzerTestOneInput(const u8 *data, size_t size);

static const char *const sources[] = {
	"((struct s *)arg1)->a",
	"((struct s *)arg1)->a.b->c[2]",
	"*((struct s *)arg1)->b",
	"sizeof(struct s)",
	"(t)arg1",
	"((t *)arg1)->a + E",
	"((struct s *)arg1)->a == \"text\"",
};

static void use(struct expr_types *types)
{
	struct expr_name names[16];
	const struct expr_type *ret;
	struct buf b = {};
	int n = expr_function(types, "f", names, 16, &ret);

	for (int i = 0; i < n; i++)
		expr_type_name(types, &b, names[i].type);
	if (n > 0 && expr_place_args(NULL, names, n))
		expr_place_words(names, n);
	for (size_t i = 0; i < sizeof(sources) / sizeof(*sources); i++) {
		struct expr_name args[EXPR_ARGS];
		struct expr_scope scope = { .types = types, .names = args };
		struct expr_prog *p;
		struct expr_value v;
		struct expr_error err;

		scope.nnames = expr_args(types, NULL, args);
		p = expr_prog_new(&scope);
		expr_record(p, 0, 8, 0);
		if (expr_value(p, expr_source(sources[i]), EXPR_AS_IS, 0, &v, &err))
			expr_type_name(types, &b, v.type);
		expr_finish(p);
		expr_prog_free(p);
	}
	buf_free(&b);
}

int LLVMFuzzerTestOneInput(const u8 *data, size_t size)
{
	struct expr_types *types;

	if (expr_types_load_mem(&types, data, size))
		return 0;
	use(types);
	if (!expr_types_module_mem(types, data, size))
		use(types);
	expr_types_free(types);
	return 0;
}
