#include "applet.h"

void applet_completion(struct buf *b)
{
	buf_str(b, "# bash completion for bcctool\n");
}
