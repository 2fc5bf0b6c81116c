/*
 * The kernel's sleeping locks: from when a thread asks for one until it has it, and from then until
 * it gives it back. Whoever includes this has defined before:
 *   bool klock_wanted(u64 lock)
 *   u64 klock_note(void *ctx)                            what to keep of the moment it is asked for
 *   void klock_got(void *ctx, u64 lock, u64 note, u64 ns)     after waiting for ns
 *   void klock_freed(void *ctx, u64 lock, u64 note, u64 ns)   after holding it for ns
 * A lock that another thread gives back than the one that took it is not seen to be held.
 */
#ifndef KLOCK_BPF_H
#define KLOCK_BPF_H

struct klock_key {
	u64 lock;
	u32 tid, unused;
};

struct klock {
	u64 asked, got, note;
};

HASH(klocks, struct klock_key, struct klock, 65536);
HASH(klock_asked, u32, u64, 10240); /* by thread: for kretprobes, which do not know the lock */

static __always_inline struct klock_key klock_of(u64 lock)
{
	return (struct klock_key){ .lock = lock, .tid = current_tid() };
}

/* False if nobody wants to know. */
static __always_inline bool klock_ask(void *ctx, u64 lock)
{
	struct klock_key key = klock_of(lock);
	struct klock k = {};

	if (!wanted() || !klock_wanted(lock))
		return false;
	k.note = klock_note(ctx);
	k.asked = bpf_ktime_get_ns();
	begin(&klocks, &key, &k);
	return true;
}

static __always_inline int klock_answer(void *ctx, u64 lock, bool yes)
{
	struct klock_key key = klock_of(lock);
	struct klock *k = bpf_map_lookup_elem(&klocks, &key);
	u64 ns;

	if (!k)
		return 0;
	if (!yes) {
		bpf_map_delete_elem(&klocks, &key);
		return 0;
	}
	if (elapsed(k->asked, &ns))
		klock_got(ctx, lock, k->note, ns);
	k->got = bpf_ktime_get_ns();
	return 0;
}

/* Without waiting. */
static __always_inline int klock_tried(void *ctx, u64 lock, bool yes)
{
	return yes && klock_ask(ctx, lock) ? klock_answer(ctx, lock, true) : 0;
}

static __always_inline int klock_free(void *ctx, u64 lock)
{
	struct klock_key key = klock_of(lock);
	struct klock *k = bpf_map_lookup_elem(&klocks, &key);
	u64 ns;

	if (!k)
		return 0;
	if (!k->got) /* it did get it, and nobody told */
		lose(LOST_RETURN);
	else if (elapsed(k->got, &ns))
		klock_freed(ctx, lock, k->note, ns);
	bpf_map_delete_elem(&klocks, &key);
	return 0;
}

static __always_inline int klock_ask_probe(void *ctx, u64 lock)
{
	u32 tid = current_tid();

	if (klock_ask(ctx, lock))
		begin(&klock_asked, &tid, &lock);
	return 0;
}

static __always_inline u64 klock_asked_for(void)
{
	u32 tid = current_tid();
	u64 *found = bpf_map_lookup_elem(&klock_asked, &tid), lock = found ? *found : 0;

	bpf_map_delete_elem(&klock_asked, &tid);
	return lock;
}

/* A function that takes the lock at once or never: its result is `yes`. */
#define KLOCK_TRY(function)                                                                        \
	SEC("?fexit/" #function)                                                                   \
	int BPF_PROG(function##_tried, void *lock, int ret)                                        \
	{                                                                                          \
		return klock_tried(ctx, (u64)lock, ret);                                           \
	}                                                                                          \
	SEC("?kprobe/" #function)                                                                  \
	int BPF_KPROBE(function##_ask_probe, void *lock)                                           \
	{                                                                                          \
		return klock_ask_probe(ctx, (u64)lock);                                            \
	}                                                                                          \
	SEC("?kretprobe/" #function)                                                               \
	int BPF_KRETPROBE(function##_answer_probe, int ret)                                        \
	{                                                                                          \
		return klock_answer(ctx, klock_asked_for(), ret);                                  \
	}

#define KLOCK_ASK(function)                                                                        \
	SEC("?fentry/" #function)                                                                  \
	int BPF_PROG(function##_ask, void *lock)                                                   \
	{                                                                                          \
		klock_ask(ctx, (u64)lock);                                                         \
		return 0;                                                                          \
	}                                                                                          \
	SEC("?kprobe/" #function)                                                                  \
	int BPF_KPROBE(function##_ask_probe, void *lock)                                           \
	{                                                                                          \
		return klock_ask_probe(ctx, (u64)lock);                                            \
	}

/* One that waits for as long as it takes. */
#define KLOCK_WAIT(function)                                                                       \
	KLOCK_ASK(function)                                                                        \
	SEC("?fexit/" #function)                                                                   \
	int BPF_PROG(function##_answer, void *lock)                                                \
	{                                                                                          \
		return klock_answer(ctx, (u64)lock, true);                                         \
	}                                                                                          \
	SEC("?kretprobe/" #function)                                                               \
	int BPF_KRETPROBE(function##_answer_probe)                                                 \
	{                                                                                          \
		return klock_answer(ctx, klock_asked_for(), true);                                 \
	}

/* One that a signal interrupts: its result is 0 or an error. */
#define KLOCK_WAIT_OR_FAIL(function)                                                               \
	KLOCK_ASK(function)                                                                        \
	SEC("?fexit/" #function)                                                                   \
	int BPF_PROG(function##_answer, void *lock, int ret)                                       \
	{                                                                                          \
		return klock_answer(ctx, (u64)lock, !ret);                                         \
	}                                                                                          \
	SEC("?kretprobe/" #function)                                                               \
	int BPF_KRETPROBE(function##_answer_probe, int ret)                                        \
	{                                                                                          \
		return klock_answer(ctx, klock_asked_for(), !ret);                                 \
	}

#define KLOCK_FREE(function)                                                                       \
	SEC("?fentry/" #function)                                                                  \
	int BPF_PROG(function##_free, void *lock)                                                  \
	{                                                                                          \
		return klock_free(ctx, (u64)lock);                                                 \
	}                                                                                          \
	SEC("?kprobe/" #function)                                                                  \
	int BPF_KPROBE(function##_free_probe, void *lock)                                          \
	{                                                                                          \
		return klock_free(ctx, (u64)lock);                                                 \
	}

#define KLOCK_MUTEXES                                                                              \
	KLOCK_WAIT(mutex_lock)                                                                     \
	KLOCK_WAIT_OR_FAIL(mutex_lock_interruptible)                                               \
	KLOCK_WAIT_OR_FAIL(mutex_lock_killable)                                                    \
	KLOCK_TRY(mutex_trylock)                                                                   \
	KLOCK_FREE(mutex_unlock)

#define KLOCK_SEMAPHORES                                                                           \
	KLOCK_WAIT(down_read)                                                                      \
	KLOCK_WAIT_OR_FAIL(down_read_interruptible)                                                \
	KLOCK_WAIT_OR_FAIL(down_read_killable)                                                     \
	KLOCK_TRY(down_read_trylock)                                                               \
	KLOCK_FREE(up_read)                                                                        \
	KLOCK_WAIT(down_write)                                                                     \
	KLOCK_WAIT_OR_FAIL(down_write_killable)                                                    \
	KLOCK_TRY(down_write_trylock)                                                              \
	KLOCK_FREE(up_write)

#endif
