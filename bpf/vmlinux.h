/*
 * The kernel types that the programs read, and of them only the fields they
 * read. Offsets here mean nothing: each access is relocated to the running
 * kernel (preserve_access_index). Kept by hand, by subsystem, so that a build
 * needs neither a running kernel nor a generator. Old shapes of a struct are
 * flavours: `struct task_struct___5_13` matches task_struct.
 */
#ifndef __VMLINUX_H__
#define __VMLINUX_H__

#include <linux/bpf.h>
#include <linux/types.h>
#include <stdbool.h>
#include <stddef.h>

typedef __u8 u8;
typedef __u16 u16;
typedef __u32 u32;
typedef __u64 u64;
typedef __s8 s8;
typedef __s16 s16;
typedef __s32 s32;
typedef __s64 s64;
typedef int pid_t;
typedef unsigned int fmode_t;
typedef unsigned short umode_t;
typedef long long loff_t;
typedef u64 sector_t;
typedef u32 dev_t;

/* Registers: read from a context, where offsets are fixed; not relocated. */
#if defined(__TARGET_ARCH_x86)
struct pt_regs {
	unsigned long r15, r14, r13, r12, bp, bx, r11, r10, r9, r8, ax, cx, dx, si, di, orig_ax, ip,
		cs, flags, sp, ss;
};
#elif defined(__TARGET_ARCH_arm64)
struct user_pt_regs {
	u64 regs[31], sp, pc, pstate;
};
struct pt_regs {
	struct user_pt_regs user_regs;
	u64 orig_x0;
	s32 syscallno;
};
#endif

/* Contexts of tracepoints: events/raw_syscalls/sys_enter/format. Fixed by the ABI. */
struct trace_entry {
	u16 type;
	u8 flags, preempt_count;
	s32 pid;
};

struct trace_event_raw_sys_enter {
	struct trace_entry ent;
	long id;
	unsigned long args[6];
};

struct trace_event_raw_sys_exit {
	struct trace_entry ent;
	long id;
	long ret;
};

/* events/kmem: kmalloc, kmem_cache_alloc and their _node */
struct trace_event_raw_kmalloc {
	struct trace_entry ent;
	unsigned long call_site;
	const void *ptr;
	size_t bytes_req, bytes_alloc;
};

struct trace_event_raw_mm_page_alloc {
	struct trace_entry ent;
	unsigned long pfn;
	unsigned int order;
};

struct trace_event_raw_task_newtask {
	struct trace_entry ent;
	int pid;
	char comm[16];
	unsigned long clone_flags;
};

/* events/percpu, since 5.19 */
struct trace_event_raw_percpu_alloc_percpu {
	struct trace_entry ent;
	unsigned long call_site;
	bool reserved, is_atomic;
	size_t size, align;
	void *base_addr;
	int off;
	void *ptr;
	size_t bytes_alloc;
};

struct trace_event_raw_percpu_free_percpu {
	struct trace_entry ent;
	void *base_addr;
	int off;
	void *ptr;
};

/* include/uapi/linux/openat2.h */
struct open_how {
	u64 flags, mode, resolve;
};

#pragma clang attribute push(__attribute__((preserve_access_index)), apply_to = record)

/* Tasks */
struct ns_common {
	u32 inum;
};

struct pid_namespace {
	struct ns_common ns;
	unsigned int level;
};

struct upid {
	int nr;
	struct pid_namespace *ns;
};

struct pid {
	unsigned int level;
	struct upid numbers[1];
};

struct uts_namespace {
	struct ns_common ns;
};

struct mnt_namespace {
	struct ns_common ns;
};

struct nsproxy {
	struct uts_namespace *uts_ns;
	struct mnt_namespace *mnt_ns;
	struct pid_namespace *pid_ns_for_children;
};

typedef struct {
	unsigned int val;
} kuid_t;

struct kernel_siginfo {
	int si_signo, si_code;
};

struct cred {
	kuid_t uid;
};

struct kernfs_node {
	u64 id;
};

struct cgroup {
	struct kernfs_node *kn;
	int level;
	struct cgroup *ancestors[1]; /* 6.1+ */
};

struct css_set {
	struct cgroup *dfl_cgrp;
};

/* Run queues: of a CPU, and of a group of fair tasks on it */
struct rq {
	unsigned int nr_running;
};

struct cfs_rq {
	unsigned int nr_running;
	unsigned int h_nr_delayed; /* 6.12+: asleep, but not taken off the queue yet */
	struct rq *rq;
};

/* nr_running became nr_queued in 6.15. */
struct cfs_rq___6_15 {
	unsigned int nr_queued;
};

struct sched_entity {
	struct cfs_rq *cfs_rq;
};

struct files_struct;
struct fs_struct;

typedef struct {
	int counter;
} atomic_t;

struct mm_struct {
	unsigned long exec_vm;
	unsigned long arg_start, arg_end;
	unsigned long brk;
};

struct signal_struct {
	atomic_t live;
	unsigned int flags;
	int group_exit_code;
};

struct linux_binprm {
	struct mm_struct *mm;
	int argc;
	const char *filename, *interp;
};

struct task_struct {
	unsigned int __state;
	unsigned int flags;
	int prio;
	struct sched_entity se;
	pid_t pid, tgid;
	char comm[16];
	int exit_code;
	u64 start_time;
	struct task_struct *group_leader, *real_parent;
	struct pid *thread_pid;
	struct nsproxy *nsproxy;
	const struct cred *cred, *real_cred;
	struct css_set *cgroups;
	struct mm_struct *mm;
	struct fs_struct *fs;
	struct files_struct *files;
	struct signal_struct *signal;
};

/* __state was `state`, a long, before 5.14. */
struct task_struct___5_13 {
	long state;
};

/* Memory: a folio is its first page, by another name, since 5.16 */
struct inode;

struct address_space {
	struct inode *host;
};

enum pageflags { PG_head = 100, PG_swapbacked }; /* relocated */

struct page {
	unsigned long flags;
	unsigned long compound_head; /* of all but the first: its address, with bit 0 set */
	struct address_space *mapping;
};

struct folio {
	unsigned int _folio_nr_pages;
};

struct readahead_control {
	struct address_space *mapping;
};

struct kmem_cache {
	const char *name;
	unsigned int size;
};

struct oom_control {
	unsigned long totalpages;
	struct task_struct *chosen;
};

enum zone_stat_item { NR_FREE_PAGES = 100 }; /* relocated */

/* Interrupts */
struct irqaction {
	const char *name;
	unsigned int flags;
};

/* By architecture: how the current system call was made. */
struct thread_info___x86 {
	u32 status;
};

struct task_struct___x86 {
	struct thread_info___x86 thread_info;
};

struct thread_info___arm64 {
	unsigned long flags;
};

struct task_struct___arm64 {
	struct thread_info___arm64 thread_info;
};

/* Paths */
struct qstr {
	u32 len;
	const unsigned char *name;
};

struct list_head {
	struct list_head *next, *prev;
};

struct hlist_head {
	void *first;
};

struct hlist_node {
	struct hlist_node *next;
};

struct super_block {
	dev_t s_dev;
	unsigned long s_magic;
	struct list_head s_mounts; /* of mount.mnt_instance */
};

struct inode {
	umode_t i_mode;
	struct super_block *i_sb;
	unsigned long i_ino;
	unsigned int i_nlink;
	u32 i_generation;
	dev_t i_rdev;
	struct hlist_head i_dentry; /* of dentry.d_u.d_alias */
	void *i_private;
};

struct rpc_task {
	int tk_status;
};

struct nfs_commit_data {
	struct inode *inode;
};

struct proc_inode {
	struct pid *pid;
	struct inode vfs_inode;
};

struct dentry {
	struct dentry *d_parent;
	struct qstr d_name;
	struct inode *d_inode;
	struct super_block *d_sb;
	union {
		struct hlist_node d_alias;
	} d_u;
};

struct vfsmount {
	struct dentry *mnt_root;
};

struct mount {
	struct mount *mnt_parent;
	struct dentry *mnt_mountpoint;
	struct vfsmount mnt;
	struct list_head mnt_instance;
};

struct path {
	struct vfsmount *mnt;
	struct dentry *dentry;
};

struct file {
	struct path f_path;
	struct inode *f_inode;
	fmode_t f_mode;
	void *private_data;
};

struct kiocb {
	struct file *ki_filp;
	loff_t ki_pos;
};

struct nameidata {
	struct qstr last; /* the name that is looked up */
};

struct renamedata { /* 5.12+ */
	struct dentry *old_dentry, *new_dentry;
};

struct fdtable {
	unsigned int max_fds;
	struct file **fd;
};

struct files_struct {
	struct fdtable *fdt;
};

struct fs_struct {
	struct path root, pwd;
};

struct filename {
	const char *name;
};

/* io_uring */
struct io_cqe {
	s32 res;
};

struct io_cmd_data {
	u8 data[56];
};

struct io_kiocb {
	struct io_cmd_data cmd; /* 6.0+ */
	struct io_cqe cqe;
};

struct io_open {
	int dfd;
	struct filename *filename;
	struct open_how how;
};

/* Block I/O */
struct gendisk {
	int major, first_minor;
	char disk_name[32];
};

struct block_device {
	struct gendisk *bd_disk;
};

struct bio {
	struct bio *bi_next;
	struct block_device *bi_bdev; /* 5.12+ */
	unsigned int bi_opf;
};

struct bio___5_11 {
	struct gendisk *bi_disk;
};

struct request_queue {
	struct gendisk *disk; /* 5.17+ */
};

struct request {
	struct request_queue *q;
	unsigned int cmd_flags, rq_flags;
	unsigned int __data_len;
	sector_t __sector;
	struct bio *bio;
	u64 start_time_ns;
};

struct request___5_16 {
	struct gendisk *rq_disk;
};

/* A partition, until 5.10. */
struct hd_struct {
	int partno;
};

/* Sockets */
struct in6_addr {
	union {
		u8 u6_addr8[16];
		u32 u6_addr32[4];
	} in6_u;
};

struct net {
	struct ns_common ns;
};

typedef struct {
	struct net *net;
} possible_net_t;

struct sock_common {
	union {
		struct {
			__be32 skc_daddr, skc_rcv_saddr;
		};
	};
	union {
		struct {
			__be16 skc_dport;
			u16 skc_num;
		};
	};
	unsigned short skc_family;
	unsigned char skc_state;
	unsigned char skc_reuse : 4, skc_reuseport : 1;
	int skc_bound_dev_if;
	possible_net_t skc_net;
	struct in6_addr skc_v6_daddr, skc_v6_rcv_saddr;
	union {
		unsigned long skc_flags;
	};
};

struct sock {
	struct sock_common __sk_common;
	u16 sk_protocol; /* a bit field before 5.6 */
	u32 sk_ack_backlog, sk_max_ack_backlog;
};

enum sock_flags { SOCK_DONE = 100 }; /* relocated */

struct inet_sock {
	unsigned long inet_flags; /* 6.6+ */
	__be32 inet_saddr;
	__be16 inet_sport;
};

struct inet_sock___6_5 {
	u8 freebind : 1, transparent : 1, bind_address_no_port : 1;
};

struct inet_connection_sock {
	u8 icsk_ca_state : 5;
};

struct tcp_sock {
	u64 bytes_received, bytes_acked;
	u32 snd_una, write_seq, srtt_us;
};

struct request_sock {
	struct sock_common __req_common;
};

struct proto_accept_arg { /* 6.10+ */
	int flags;
};

struct net_device {
	possible_net_t nd_net;
};

struct sk_buff {
	struct net_device *dev;
	struct sock *sk;
	char cb[48];
	__be16 protocol;
	u16 transport_header, network_header;
	unsigned char *head, *data;
	unsigned int len;
};

struct tcp_skb_cb {
	u32 seq;
	u16 tcp_gso_segs;
};

enum skb_drop_reason { SKB_DROP_REASON_NOT_SPECIFIED = 100 }; /* relocated */

struct iovec {
	void *iov_base;
	size_t iov_len;
};

enum iter_type { ITER_IOVEC = 100, ITER_UBUF }; /* relocated */

struct iov_iter {
	u8 iter_type;
	size_t count;
	void *ubuf; /* 6.0+ */
	const struct iovec *__iov;
};

/* __iov was iov before 6.4. */
struct iov_iter___6_3 {
	const struct iovec *iov;
};

struct msghdr {
	void *msg_name;
	struct iov_iter msg_iter;
};

struct socket {
	struct sock *sk;
};

#pragma clang attribute pop

#endif
