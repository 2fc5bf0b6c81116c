/*
 * What accept(2) takes, in the task that takes it: ACCEPTED(story) makes the programs, of which
 * story(ctx, sk, typed) is called for each new TCP socket.
 *
 * sock_graft() joins the socket to the caller's file, and has a hook for security modules. A probe
 * on that sees whoever was asleep in accept(2) before tracing began, and does not run out of return
 * probes where many sleep there; those on inet_csk_accept() do not (see ACCEPTED_CANDIDATES).
 */
#ifndef ACCEPT_BPF_H
#define ACCEPT_BPF_H

#include "flow.bpf.h"

/* (sk, arg), before 6.10 (sk, flags, err, kern). */
static __always_inline struct sock *accepted_sock(u64 *ctx)
{
	return (void *)(bpf_core_type_exists(struct proto_accept_arg) ? argument(ctx, 2)
								      : argument(ctx, 4));
}

#define ACCEPTED(story)                                                                            \
	SEC("fentry/security_sock_graft")                                                          \
	int BPF_PROG(accepted, struct sock *sk)                                                    \
	{                                                                                          \
		return is_tcp(sk, true) ? story(ctx, sk, true) : 0;                                \
	}                                                                                          \
	SEC("fexit/inet_csk_accept")                                                               \
	int accepted_exit(u64 *ctx)                                                                \
	{                                                                                          \
		struct sock *sk = accepted_sock(ctx);                                              \
                                                                                                   \
		return sk && is_tcp(sk, false) ? story(ctx, sk, false) : 0;                        \
	}                                                                                          \
	SEC("kprobe/security_sock_graft")                                                          \
	int BPF_KPROBE(accepted_kprobe, struct sock *sk)                                           \
	{                                                                                          \
		return is_tcp(sk, false) ? story(ctx, sk, false) : 0;                              \
	}                                                                                          \
	SEC("kretprobe/inet_csk_accept")                                                           \
	int BPF_KRETPROBE(accepted_kretprobe, struct sock *sk)                                     \
	{                                                                                          \
		return sk && is_tcp(sk, false) ? story(ctx, sk, false) : 0;                        \
	}

#endif
