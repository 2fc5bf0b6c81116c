/* Flushes that md is asked for: it passes each on to all disks of the array. */
#include "bcctool.bpf.h"
#include "mdflush.h"

EVENTS;

static __always_inline int flush(void *ctx, struct bio *bio)
{
	struct bio___5_11 *old = (void *)bio;
	struct mdflush_event e = {};
	struct gendisk *disk;

	if (!wanted())
		return 0;
	if (bpf_core_field_exists(bio->bi_bdev))
		disk = BPF_CORE_READ(bio, bi_bdev, bd_disk);
	else
		disk = BPF_CORE_READ(old, bi_disk);
	task_now(&e.task);
	BPF_CORE_READ_STR_INTO(&e.device, disk, disk_name);
	emit(ctx, &e, sizeof(e));
	return 0;
}

SEC("fentry/md_flush_request")
int BPF_PROG(flush_request, void *mddev, struct bio *bio)
{
	return flush(ctx, bio);
}

SEC("kprobe/md_flush_request")
int BPF_KPROBE(flush_request_kprobe, void *mddev, struct bio *bio)
{
	return flush(ctx, bio);
}
