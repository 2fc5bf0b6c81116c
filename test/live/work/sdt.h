// USDT probes as sys/sdt.h makes them, but with operands of our choice: tests must meet every form.
// Source: sourceware.org/systemtap/wiki/UserSpaceProbeImplementation.
#ifndef SDT_H
#define SDT_H

// A probe work:NAME. semaphore: the name of a SEMAPHORE(), or "0". args: the note's text, in which
// %[x] stands for an operand of the list that follows, as in any asm statement.
#define PROBE(name, semaphore, args, ...)                                                          \
	__asm__ volatile(                                                                          \
		"990:	nop\n"                                                                       \
		"	.pushsection .note.stapsdt,\"\",\"note\"\n"                                      \
		"	.balign 4\n"                                                                     \
		"	.4byte 992f-991f, 994f-993f, 3\n"                                                \
		"991:	.asciz \"stapsdt\"\n"                                                        \
		"992:	.balign 4\n"                                                                 \
		"993:	.8byte 990b, _.stapsdt.base, " semaphore "\n"                              \
		"	.asciz \"work\"\n"                                                               \
		"	.asciz \"" name "\"\n"                                                     \
		"	.asciz \"" args "\"\n"                                                     \
		"994:	.balign 4\n"                                                                 \
		"	.popsection\n"                                                                   \
		"	.ifndef _.stapsdt.base\n"                                                        \
		"	.pushsection .stapsdt.base,\"aG\",\"progbits\",.stapsdt.base,comdat\n"           \
		"	.weak _.stapsdt.base\n"                                                          \
		"	.hidden _.stapsdt.base\n"                                                        \
		"_.stapsdt.base:	.space 1\n"                                                       \
		"	.popsection\n"                                                                   \
		"	.endif\n" ::__VA_ARGS__)

// The counter by which a probe's program knows that it is traced.
#define SEMAPHORE(name) __attribute__((section(".probes"), used)) volatile unsigned short name

#endif
