#include <string.h>
#include <linux/mount.h>

#define ROW struct mountsnoop_event
#include "applet.h"
#include "clock.h"
#include "mountsnoop.h"
#include "out.h"

static bool parent, detailed, in_paragraphs;

struct flag {
	const char *name;
	u64 bits;
};

#define FLAG(prefix, name)                                                                         \
	{                                                                                          \
#prefix #name, prefix##name                                                        \
	}
#define MS(name) FLAG(MS_, name)

static const struct flag mount_flags[] = {
	MS(RDONLY),
	MS(NOSUID),
	MS(NODEV),
	MS(NOEXEC),
	MS(SYNCHRONOUS),
	MS(REMOUNT),
	MS(MANDLOCK),
	MS(DIRSYNC),
	MS(NOSYMFOLLOW),
	MS(NOATIME),
	MS(NODIRATIME),
	MS(BIND),
	MS(MOVE),
	MS(REC),
	MS(SILENT),
	MS(POSIXACL),
	MS(UNBINDABLE),
	MS(PRIVATE),
	MS(SLAVE),
	MS(SHARED),
	MS(RELATIME),
	MS(KERNMOUNT),
	MS(I_VERSION),
	MS(STRICTATIME),
	MS(LAZYTIME),
	MS(SUBMOUNT),
	MS(NOREMOTELOCK),
	MS(NOSEC),
	MS(BORN),
	MS(ACTIVE),
	{ "MS_NOUSER", 1u << 31 },
	{ 0 },
};

/* sys/mount.h, which does not go with linux/mount.h. */
static const struct flag umount_flags[] = {
	{ "MNT_FORCE", 1 },
	{ "MNT_DETACH", 2 },
	{ "MNT_EXPIRE", 4 },
	{ "UMOUNT_NOFOLLOW", 8 },
	{ 0 },
};

static const struct flag fsopen_flags[] = { FLAG(FSOPEN_, CLOEXEC), { 0 } };
static const struct flag fsmount_flags[] = { FLAG(FSMOUNT_, CLOEXEC), { 0 } };

#define ATTR(name) FLAG(MOUNT_ATTR_, name)
static const struct flag attr_flags[] = {
	ATTR(RDONLY),      ATTR(NOSUID),     ATTR(NODEV), ATTR(NOEXEC),      ATTR(NOATIME),
	ATTR(STRICTATIME), ATTR(NODIRATIME), ATTR(IDMAP), ATTR(NOSYMFOLLOW), { 0 },
};

#define MOVE(name) FLAG(MOVE_MOUNT_, name)
static const struct flag move_flags[] = {
	MOVE(F_SYMLINKS),
	MOVE(F_AUTOMOUNTS),
	MOVE(F_EMPTY_PATH),
	MOVE(T_SYMLINKS),
	MOVE(T_AUTOMOUNTS),
	MOVE(T_EMPTY_PATH),
	MOVE(SET_GROUP),
	{ "MOVE_MOUNT_BENEATH", 0x200 },
	{ 0 },
};

static const char *const commands[] = {
	"FSCONFIG_SET_FLAG",   "FSCONFIG_SET_STRING",      "FSCONFIG_SET_BINARY",
	"FSCONFIG_SET_PATH",   "FSCONFIG_SET_PATH_EMPTY",  "FSCONFIG_SET_FD",
	"FSCONFIG_CMD_CREATE", "FSCONFIG_CMD_RECONFIGURE", "FSCONFIG_CMD_CREATE_EXCL",
};

static const char *const calls[] = {
	[MOUNT] = "mount",       [UMOUNT] = "umount",   [FSOPEN] = "fsopen",
	[FSCONFIG] = "fsconfig", [FSMOUNT] = "fsmount", [MOVE_MOUNT] = "move_mount",
};

/* MS_A|MS_B|0x40000000 */
static void put_flags(struct buf *b, const struct flag *known, u64 flags)
{
	const char *bar = "";

	/* Once it was needed; the kernel takes it away. */
	if (known == mount_flags && (flags & MS_MGC_MSK) == MS_MGC_VAL) {
		buf_str(b, "MS_MGC_VAL");
		flags &= ~(u64)MS_MGC_MSK;
		bar = "|";
	}
	for (; known->name; known++)
		if (flags & known->bits) {
			buf_str(b, bar);
			buf_str(b, known->name);
			flags &= ~known->bits;
			bar = "|";
		}
	if (flags || !*bar) {
		buf_str(b, bar);
		buf_hex(b, flags);
	}
}

static void put_text(struct buf *b, const char *text, size_t size)
{
	buf_chr(b, '"');
	buf_safe(b, text, strnlen(text, size));
	buf_chr(b, '"');
}

#define TEXT(b, text) put_text(b, text, sizeof(text))

static void put_move(struct buf *b, const struct mountsnoop_event *e)
{
	buf_fmt(b, "%d, ", e->fd);
	TEXT(b, e->source);
	buf_fmt(b, ", %d, ", e->to_fd);
	TEXT(b, e->target);
	buf_str(b, ", ");
	put_flags(b, move_flags, e->flags);
}

static void put_fsconfig(struct buf *b, const struct mountsnoop_event *e)
{
	buf_fmt(b, "%d, ", e->fd);
	if (e->command < ARRAY_SIZE(commands))
		buf_str(b, commands[e->command]);
	else
		buf_u64(b, e->command);
	buf_str(b, ", ");
	TEXT(b, e->source);
	buf_str(b, ", ");
	TEXT(b, e->data);
	buf_fmt(b, ", %d", e->aux);
}

static void put_mount(struct buf *b, const struct mountsnoop_event *e)
{
	TEXT(b, e->source);
	buf_str(b, ", ");
	TEXT(b, e->target);
	buf_str(b, ", ");
	TEXT(b, e->type);
	buf_str(b, ", ");
	put_flags(b, mount_flags, e->flags);
	buf_str(b, ", ");
	TEXT(b, e->data);
}

static void put_result(struct buf *b, s32 ret)
{
	const char *name = ret < 0 ? strerrorname_np(-ret) : NULL;

	if (name)
		buf_fmt(b, "-%s", name);
	else
		buf_s64(b, ret);
}

static void call_text(struct buf *b, const void *field, const void *row)
{
	const struct mountsnoop_event *e = row;

	(void)field;
	buf_fmt(b, "%s(", calls[e->call]);
	switch (e->call) {
	case MOUNT: put_mount(b, e); break;
	case UMOUNT:
		TEXT(b, e->target);
		buf_str(b, ", ");
		put_flags(b, umount_flags, e->flags);
		break;
	case FSOPEN:
		TEXT(b, e->type);
		buf_str(b, ", ");
		put_flags(b, fsopen_flags, e->flags);
		break;
	case FSCONFIG: put_fsconfig(b, e); break;
	case FSMOUNT:
		buf_fmt(b, "%d, ", e->fd);
		put_flags(b, fsmount_flags, e->flags);
		buf_str(b, ", ");
		put_flags(b, attr_flags, e->attr_flags);
		break;
	case MOVE_MOUNT: put_move(b, e); break;
	}
	buf_str(b, ") = ");
	put_result(b, e->ret);
}

static const struct opt options[] = {
	OPT('P', "parent_process", NULL, &parent, "print the parent too"),
	OPT_TIMESTAMP('t'),
	OPT_PID('p'),
	OPT('d', "detailed", NULL, &detailed, "print a paragraph a call, a line a field"),
	{ 0 },
};

static const struct column columns[] = {
	COL(task.time, "TIME", -9, "time of the return", .as = AS_TIME, .show = &common.timestamp),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(task.pid, "PID", -7, "process ID"),
	COL(task.tid, "TID", -7, "thread ID"),
	COL(pcomm, "PCOMM", -16, "name of the parent, with -P", .show = &parent),
	COL(ppid, "PPID", -7, "its process ID", .show = &parent),
	COL(mnt_ns, "MNT_NS", -11, "inode number of the mount namespace"),
	COL(call, "CALL", 0, "the call and its result", NAMES(calls), .text = call_text),
	COL_DATA(ret, "result, or a negative error number (errno(3))"),
	COL_DATA(source, "source; of move_mount(2) the path from; of fsconfig(2) the key"),
	COL_DATA(target, "target; of move_mount(2) the path to"),
	COL_DATA(type, "file system type, of mount(2) and fsopen(2)"),
	COL_DATA(flags, "flags"),
	COL_DATA(data, "data of mount(2); value of fsconfig(2)"),
	COL_DATA(fd, "file descriptor passed; of move_mount(2) the one from"),
	COL_DATA(to_fd, "of move_mount(2) the one to"),
	COL_DATA(command, "command of fsconfig(2)"),
	COL_DATA(aux, "last argument of fsconfig(2)"),
	COL_DATA(attr_flags, "attributes, of fsmount(2)"),
	COL_DATA(task.uid, "user ID"),
	{ 0 },
};

static const struct example examples[] = {
	{ "", "what is mounted and unmounted" },
	{ "-P", "and by the child of whom" },
	{ "-d", "a paragraph a call" },
	{ 0 },
};

#define PROBE(what, call, ...)                                                                     \
	{                                                                                          \
		what, { "~" RETURNED(call), "enter_" #call " leave_" #call }, ##__VA_ARGS__        \
	}
#define PROBE_NEW(call) PROBE(#call "(2)", call, "calls of " #call "(2)")

static const struct probe probes[] = {
	PROBE("mount(2)", mount),
	PROBE("umount(2)", umount),
	PROBE_NEW(fsopen),
	PROBE_NEW(fsconfig),
	PROBE_NEW(fsmount),
	PROBE_NEW(move_mount),
	{ 0 },
};

/* -d: prints the paragraph, and leaves no row to print. */
static const void *describe(struct run *run, const void *event, size_t *size)
{
	const struct mountsnoop_event *e = event;

	(void)run;
	(void)size;
	for (const struct column *c = columns; c->key; c++) {
		if (!c->head)
			continue;
		buf_fmt(&out, "%s:", c->head);
		buf_fill(&out, ' ', 8 - strlen(c->head));
		col_text(&out, c, e, sizeof(*e));
		buf_chr(&out, '\n');
	}
	buf_chr(&out, '\n');
	out_row();
	return NULL;
}

static void check(void)
{
	in_paragraphs = detailed && out_mode == OUT_TEXT;
}

static const struct column none[] = { { 0 } };

static const struct applet paragraphs = {
	.columns = none,
	.event = describe,
	.run = run_events,
};

static const struct applet mountsnoop = {
	.name = "mountsnoop",
	.summary = "trace what is mounted and unmounted",
	.doc = "Traces mount(2), umount(2), fsopen(2), fsconfig(2), fsmount(2) and move_mount(2), "
	       "those of 32-bit programs too, and prints each with its arguments and result when "
	       "it returns.\n\n"
	       "Costs next to nothing: these calls are rare.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.probes = probes,
	.check = check,
	.run = run_events,
	.other = &paragraphs,
	.use_other = &in_paragraphs,
};

APPLET(mountsnoop);
