/* The programs of bpf/lib/klock.bpf.h, for the tables of probes. */
#ifndef KLOCK_H
#define KLOCK_H

#include "candidate.h"

/* Lists of strings. */
/* clang-format off */
#define KLOCK_PROBE_MUTEXES { "mutexes", { "~" KLOCK_TYPED_MUTEXES, KLOCK_PROBED_MUTEXES } }
#define KLOCK_PROBE_SEMAPHORES                                                                     \
	{ "read-write semaphores", { "~" KLOCK_TYPED_SEMAPHORES, KLOCK_PROBED_SEMAPHORES } }

#define KLOCK_TYPED_MUTEXES                                                                        \
	KLOCK_TYPED(mutex_lock)                                                                    \
	KLOCK_TYPED(mutex_lock_interruptible)                                                      \
	KLOCK_TYPED(mutex_lock_killable)                                                           \
	"mutex_trylock_tried mutex_unlock_free"
#define KLOCK_PROBED_MUTEXES                                                                       \
	KLOCK_PROBED(mutex_lock)                                                                   \
	KLOCK_PROBED(mutex_lock_interruptible)                                                     \
	KLOCK_PROBED(mutex_lock_killable)                                                          \
	KLOCK_PROBED(mutex_trylock)                                                                \
	"mutex_unlock_free_probe"

/* down_read_interruptible() is younger than the others: 5.11. */
#define KLOCK_TYPED_SEMAPHORES                                                                     \
	KLOCK_TYPED(down_read)                                                                     \
	"down_read_interruptible_ask? down_read_interruptible_answer? "                            \
	KLOCK_TYPED(down_read_killable)                                                            \
	KLOCK_TYPED(down_write)                                                                    \
	KLOCK_TYPED(down_write_killable)                                                           \
	"down_read_trylock_tried down_write_trylock_tried up_read_free up_write_free"
#define KLOCK_PROBED_SEMAPHORES                                                                    \
	KLOCK_PROBED(down_read)                                                                    \
	"down_read_interruptible_ask_probe? down_read_interruptible_answer_probe? "                \
	KLOCK_PROBED(down_read_killable)                                                           \
	KLOCK_PROBED(down_write)                                                                   \
	KLOCK_PROBED(down_write_killable)                                                          \
	KLOCK_PROBED(down_read_trylock)                                                            \
	KLOCK_PROBED(down_write_trylock)                                                           \
	"up_read_free_probe up_write_free_probe"
/* clang-format on */

#define KLOCK_TYPED(f)  #f "_ask " #f "_answer "
#define KLOCK_PROBED(f) #f "_ask_probe " #f "_answer_probe "

#endif
