#include "applet.h"

void applet_man(struct buf *b, const struct applet *a)
{
	buf_fmt(b, ".TH %s 8\n.SH NAME\n%s \\- %s\n", a->name, a->name, a->summary);
}
