/* The candidates of a struct probe for the programs of bpf/lib/accept.bpf.h. */
#ifndef ACCEPT_H
#define ACCEPT_H

#define ACCEPTED_CANDIDATES                                                                        \
	{                                                                                          \
		"accepted", "accepted_exit", "accepted_kprobe", "accepted_kretprobe"               \
	}

#endif
