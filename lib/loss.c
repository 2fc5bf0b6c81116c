#include <errno.h>
#include <string.h>
#include <bpf/bpf.h>

#include "applet.h"
#include "clock.h"
#include "object.h"
#include "out.h"
#include "report.h"

static const struct {
	const char *key, *text;
} kinds[] = {
	[LOST_EVENT] = { "events", "events lost: the buffer was full (--buffer makes it larger)" },
	[LOST_START] = { "starts", "begun but not followed: the map of calls in flight was full" },
	[LOST_RETURN] = { "returns", "returns missed: another tracer came or left meanwhile, or "
				     "too many calls" },
	[LOST_KEY] = { "keys", "not counted: the map of results was full" },
	[LOST_STACK] = { "stacks", "stacks missing: none could be taken, or the map was full" },
	[LOST_CLOCK] = { "clock",
			 "not counted: ended before they began, by the clocks of two CPUs" },
	[LOST_TEXT] = { "truncated", "values cut short or unreadable" },
	[LOST_PROBE] = { "probes", "probes missed: a program was running on that CPU already" },
};

/* How often the kernel did not run our programs since they were running: bpf_prog_info, 5.12+. */
static u64 recursion_misses(const struct run *run)
{
	struct bpf_program *prog;
	u64 sum = 0;

	bpf_object__for_each_program(prog, run->obj) {
		struct bpf_prog_info info = {};
		u32 len = sizeof(info);

		if (bpf_program__fd(prog) >= 0 &&
		    !bpf_obj_get_info_by_fd(bpf_program__fd(prog), &info, &len))
			sum += info.recursion_misses;
	}
	return sum;
}

void report_losses(struct run *run)
{
	u64 lost[LOST_KINDS] = {};

	if (run->obj) {
		int err = object_get(run->obj, "bcc_lost", lost, sizeof(lost));

		if (err && err != -ENOENT) /* an object without bcctool.bpf.h has nothing to lose */
			warn("cannot tell what was lost: %s", strerror(-err));
		lost[LOST_PROBE] += recursion_misses(run);
	}
	for (int i = 0; i < LOST_KINDS; i++)
		lost[i] += run->lost[i];
	if (out_mode == OUT_JSON) {
		buf_str(&out, "{\"lost\":{");
		for (int i = 0; i < LOST_KINDS; i++)
			buf_fmt(&out, "%s\"%s\":%llu", i ? "," : "", kinds[i].key, lost[i]);
		buf_str(&out, "}}\n");
	}
	out_flush();
	for (int i = 0; i < LOST_KINDS; i++)
		if (lost[i])
			warn("%llu %s", lost[i], kinds[i].text);
}
