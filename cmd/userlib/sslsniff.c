#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define ROW struct sslsniff_event
#include "applet.h"
#include "library.h"
#include "object.h"
#include "out.h"
#include "probe/probed.h"
#include "sslsniff.h"

/* A family of libraries: its file, and the functions that matter. */
struct tls {
	const char *type, *library;
	bool off;
	struct function {
		const char *name;
		u8 kind;
		bool ex; /* returns success, and the bytes by its fourth argument */
	} function[8];
};

static struct tls openssl = { "openssl",
			      "ssl",
			      false,
			      { { "SSL_read", SSL_READ },
				{ "SSL_write", SSL_WRITE },
				{ "SSL_read_ex", SSL_READ, true },
				{ "SSL_write_ex", SSL_WRITE, true },
				{ "SSL_do_handshake", SSL_HANDSHAKE } } };
static struct tls gnutls = { "gnutls",
			     "gnutls",
			     false,
			     { { "gnutls_record_recv", SSL_READ },
			       { "gnutls_record_send", SSL_WRITE } } };
static struct tls nss = { "nss",
			  "nspr4",
			  false,
			  { { "PR_Read", SSL_READ },
			    { "PR_Recv", SSL_READ },
			    { "PR_Write", SSL_WRITE },
			    { "PR_Send", SSL_WRITE } } };
static struct tls *const kinds[] = { &openssl, &gnutls, &nss };

static struct sslsniff_conf conf = { .max = 8192 };
static bool extra, hexdump, latency, handshake;
static const char *comm;
static struct {
	const struct tls *tls;
	const char *path;
} libraries[16];
static u32 nlibraries;

static int parse_library(const char *arg, void *dst, char why[128])
{
	const char *colon = strchr(arg, ':');

	(void)dst;
	if (nlibraries == ARRAY_SIZE(libraries)) {
		snprintf(why, 128, "one library too many");
		return -EINVAL;
	}
	for (u32 i = 0; colon && i < ARRAY_SIZE(kinds); i++)
		if (strlen(kinds[i]->type) == (size_t)(colon - arg) &&
		    !strncmp(arg, kinds[i]->type, colon - arg) && strchr("/.", colon[1]) &&
		    colon[1]) {
			libraries[nlibraries].tls = kinds[i];
			libraries[nlibraries++].path = colon + 1;
			return 0;
		}
	snprintf(why, 128, "not openssl, gnutls or nss, a colon, and a path");
	return -EINVAL;
}

static const struct opt options[] = {
	OPT_PID('p'),
	OPT_UID('u'),
	OPT('x', "extra", NULL, &extra, "print the user and the thread ID"),
	OPT('c', "comm", "NAME", &comm, "trace threads of exactly this name only"),
	OPT('o', "no-openssl", NULL, &openssl.off, "do not trace OpenSSL"),
	OPT('g', "no-gnutls", NULL, &gnutls.off, "do not trace GnuTLS"),
	OPT('n', "no-nss", NULL, &nss.off, "do not trace NSS"),
	OPT_LIST_PROBES('d'),
	OPT(0, "hexdump", NULL, &hexdump, "print the data in hexadecimal too"),
	OPT(0, "max-buffer-size", "BYTES", &conf.max,
	    "print that much of the data of a call (default 8192)", .max = SSL_DATA_MAX),
	OPT('l', "latency", NULL, &latency, "print how long the calls took"),
	OPT(0, "handshake", NULL, &handshake, "trace handshakes too, with -l"),
	OPT_PARSED(0, "extra-lib", "TYPE:PATH", parse_library, NULL,
		   "trace this library too, of type openssl, gnutls or nss"),
	{ 0 },
};

static void kind_name(struct buf *b, const void *kind, const void *row)
{
	static const char *const names[] = { "READ/RECV", "WRITE/SEND", "HANDSHAKE" };

	(void)row;
	buf_str(b, names[*(const u32 *)kind % ARRAY_SIZE(names)]);
}

/* Where data is not quoted by JSON or CSV. */
static void data_name(struct buf *b, const void *data, const void *row)
{
	buf_mem(b, data, ((const ROW *)row)->captured);
}

static const struct column columns[] = {
	COL(kind, "FUNC", -12, "READ/RECV, WRITE/SEND or HANDSHAKE", .name = kind_name),
	COL(task.time, "TIME(s)", -18, "time of the call, since tracing began", .as = AS_ELAPSED,
	    .digits = 9),
	COL(task.comm, "COMM", -16, "thread name"),
	COL(task.pid, "PID", -7, "process ID"),
	COL(len, "LEN", -7, "bytes that were read or written; 0 of handshakes"),
	COL(task.uid, "UID", -7, "user ID, with -x", .show = &extra),
	COL(task.tid, "TID", -7, "thread ID, with -x", .show = &extra),
	COL(lat_ns, "LAT(ms)", -7, "time in the call, with -l", .as = AS_MS, .digits = 3,
	    .show = &latency),
	COL_DATA(func, "function of the library", .name = probed_name),
	COL_DATA(captured, "bytes of `data`: at most what --max-buffer-size says"),
	{ .key = "data",
	  .help = "the data; JSON has a byte that is not UTF-8 as \\u00HH",
	  .type = COL_BYTES,
	  .offset = offsetof(ROW, data),
	  .size = SSL_DATA_MAX,
	  .name = data_name,
	  .show = &col_never },
	{ 0 },
};

static const struct example examples[] = {
	{ "", "what is read and written by OpenSSL, GnuTLS and NSS" },
	{ "-p 181 -g -n", "by OpenSSL in process 181" },
	{ "--hexdump --max-buffer-size 64", "the first 64 bytes of each, in hexadecimal" },
	{ "-l --handshake", "with latency, and handshakes" },
	{ "--extra-lib openssl:/opt/app/libssl.so.1.1", "in another library too" },
	{ 0 },
};

/* Whoever is traced writes the data: a line of it that looks like one of ours is marked. */
static void print_text(struct buf *b, const char *data, size_t n)
{
	static const char ours[] = "-----";

	while (n) {
		const char *end = memchr(data, '\n', n);
		size_t len = end ? (size_t)(end - data) : n, shown = len;

		if (end && shown && data[shown - 1] == '\r')
			shown--;
		if (shown >= 5 && !memcmp(data, ours, 5)) {
			buf_str(b, "\\x2d");
			buf_safe(b, data + 1, shown - 1);
		} else {
			buf_safe(b, data, shown);
		}
		buf_chr(b, '\n');
		n -= end ? len + 1 : len;
		data += len + 1;
	}
}

static void print_hex(struct buf *b, const unsigned char *data, size_t n)
{
	for (size_t at = 0; at < n; at += 16) {
		buf_fmt(b, "%08zx ", at);
		for (size_t i = at; i < at + 16; i++) {
			if (i % 8 == 0)
				buf_chr(b, ' ');
			if (i < n)
				buf_fmt(b, "%02x ", data[i]);
			else
				buf_str(b, "   ");
		}
		buf_str(b, " |");
		for (size_t i = at; i < at + 16 && i < n; i++)
			buf_chr(b, data[i] >= ' ' && data[i] < 0x7f ? data[i] : '.');
		buf_str(b, "|\n");
	}
}

static void print_data(struct buf *b, const struct column *cols, const void *row)
{
	const ROW *e = row;

	(void)cols;
	if (e->kind == SSL_HANDSHAKE)
		return;
	buf_str(b, "----- DATA -----\n");
	if (hexdump)
		print_hex(b, (const unsigned char *)e->data, e->captured);
	else
		print_text(b, e->data, e->captured);
	if (e->captured < e->len)
		buf_fmt(b, "----- END DATA (TRUNCATED, %u bytes lost) -----\n\n",
			e->len - e->captured);
	else
		buf_str(b, "----- END DATA -----\n\n");
}

static const void *event(struct run *run, const void *data, size_t *size)
{
	const ROW *e = data;

	(void)run;
	if (*size < offsetof(ROW, data) || e->captured > *size - offsetof(ROW, data))
		return NULL;
	if (comm && strncmp(e->task.comm, comm, sizeof(e->task.comm)))
		return NULL;
	return data;
}

/* Whether the library is there: one that is not installed is no error. */
static bool is_there(const char *library)
{
	u32 pid = common.filter.pids.n == 1 ? common.filter.pids.id[0] : 0;
	struct buf why = {};
	struct library l;
	int err = library_open(&l, library, pid, &why);

	if (!err)
		library_close(&l);
	if (err == -ESRCH)
		die("%.*s", (int)why.len, why.data);
	buf_free(&why);
	return !err;
}

/* Those of its functions that this library has: not all had the _ex ones. */
static void add(const struct tls *tls, const char *library)
{
	for (const struct function *f = tls->function; f->name; f++) {
		char *pattern = xasprintf("%s:%s", library, f->name);

		if ((f->kind != SSL_HANDSHAKE || handshake) && probed_exists(pattern))
			probed_add(pattern);
		else
			free(pattern);
	}
}

static const struct function *function_named(const char *name)
{
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		for (const struct function *f = kinds[i]->function; f->name; f++)
			if (!strcmp(f->name, name))
				return f;
	return NULL;
}

static void check(void)
{
	if (handshake && !latency)
		opt_error("--handshake is about time: it needs --latency");
	if (comm && strlen(comm) >= COMM_LEN)
		opt_error("--comm: a thread's name has %d characters at most", COMM_LEN - 1);
	for (u32 i = 0; i < ARRAY_SIZE(kinds); i++)
		if (!kinds[i]->off && is_there(kinds[i]->library))
			add(kinds[i], kinds[i]->library);
	for (u32 i = 0; i < nlibraries; i++) {
		if (!is_there(libraries[i].path))
			die("cannot trace '%s': no such library", libraries[i].path);
		add(libraries[i].tls, libraries[i].path);
	}
	if (!probed.n)
		die("no library to trace: name one by --extra-lib");
	probed_check_calls();
}

static void prepare(struct run *run)
{
	probed_prepare(run);
	if (probed.functions > SSL_FUNCTIONS)
		die("too many libraries");
	for (u32 i = 0; i < probed.functions; i++) {
		const struct function *f = function_named(probed_site(i)->name);

		conf.kind[i] = f->kind;
		conf.ex[i] = f->ex;
	}
	object_set(run->obj, "conf", &conf, sizeof(conf));
}

static const struct applet sslsniff = {
	.name = "sslsniff",
	.summary = "show what is read and written through TLS libraries",
	.doc = "Shows data before it is encrypted and after it was decrypted, by probes on the "
	       "functions of OpenSSL, GnuTLS and NSS that programs read and write with. Libraries "
	       "that are not installed are left out; programs that bring their own, or have it "
	       "linked into them, are not seen (--extra-lib). NSS reads and writes files and "
	       "sockets without TLS by the same functions.\n\n"
	       "Data is untrusted: control characters are shown escaped, and a line of it that "
	       "begins like the lines around data begins with \\x2d. It may hold secrets.\n\n"
	       "Costs a few microseconds a call, and a copy of the data.",
	.options = options,
	.columns = columns,
	.examples = examples,
	.untyped = true,
	CONF(conf),
	.check = check,
	.prepare = prepare,
	.attached = probed_attached,
	.event = event,
	.footer = print_data,
	.run = run_events,
};

APPLET(sslsniff);
