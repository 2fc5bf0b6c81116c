/* The multiplexer: the applet is the name it was called by, or its first argument. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "applet.h"
#include "check.h"
#include "out.h"

static const char usage[] =
	"Usage: bcctool APPLET [OPTION...] [ARGUMENT...]\n"
	"       bcctool check [APPLET...] [--json]   what this kernel can trace\n"
	"       bcctool help APPLET                  the applet's options\n"
	"       bcctool --list                       all applets\n"
	"       bcctool --names                      their names alone\n"
	"       bcctool --install DIR                link them to this program in DIR\n"
	"       bcctool --man APPLET                 print its manual page\n"
	"       bcctool --man-all DIR                write all manual pages to DIR\n"
	"       bcctool --completion                 print completion for bash\n"
	"       bcctool --version\n\n";

/* Files opened later must not become standard output by having its number. */
static void open_standard_files(void)
{
	for (int fd = 0; fd <= 2; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) < 0)
			_exit(1);
}

__attribute__((noreturn)) static void misused(const char *fmt, const char *arg)
{
	warn(fmt, arg);
	fputs("Try 'bcctool --help'.\n", stderr);
	exit(2);
}

static const struct applet *must_find(const char *name)
{
	const struct applet *a = applet_find(name);
	const char *near = a ? NULL : applet_suggest(name);

	if (!a && near) {
		warn("no applet '%s'; did you mean '%s'?", name, near);
		exit(2);
	}
	if (!a)
		misused("no applet '%s'", name);
	return a;
}

static int run_applet(const struct applet *a, int argc, char **argv)
{
	int code;

	progname = a->name;
	opt_parse(a, argc, argv);
	code = applet_run(a);
	out_flush();
	return code;
}

static int print_list(const char *arg)
{
	(void)arg;
	applet_list(&out);
	return 0;
}

static int print_usage(const char *arg)
{
	buf_str(&out, usage);
	return print_list(arg);
}

static int print_names(const char *arg)
{
	(void)arg;
	for (const struct applet_entry *const *p = applet_sorted(); *p; p++)
		buf_fmt(&out, "%s\n", (*p)->applet->name);
	return 0;
}

static int print_version(const char *arg)
{
	(void)arg;
	buf_fmt(&out, "bcctool %s, libbpf %s\n", BCCTOOL_VERSION, libbpf_version_string());
	return 0;
}

static int print_help(const char *name)
{
	if (!name)
		return print_usage(NULL);
	opt_help(&out, must_find(name));
	return 0;
}

static int print_man(const char *name)
{
	applet_man(&out, must_find(name));
	return 0;
}

static int write_man_pages(const char *dir)
{
	make_folders(dir);
	for (const struct applet_entry *const *p = applet_sorted(); *p; p++) {
		char *path = xasprintf("%s/%s.8", dir, (*p)->applet->name);
		FILE *f = fopen(path, "we");
		struct buf b = {};
		size_t written;

		if (!f)
			die_err(errno, "cannot write %s", path);
		applet_man(&b, (*p)->applet);
		written = fwrite(b.data, 1, b.len, f);
		if (fclose(f) || written != b.len)
			die_err(errno, "cannot write %s", path);
		buf_free(&b);
		free(path);
	}
	return 0;
}

static int print_completion(const char *arg)
{
	(void)arg;
	applet_completion(&out);
	return 0;
}

static const struct command {
	const char *name, *arg; /* arg: what it takes, in brackets if it need not be there */
	int (*run)(const char *arg);
} commands[] = {
	{ "--help", NULL, print_usage },         { "-h", NULL, print_usage },
	{ "help", "[APPLET]", print_help },      { "--list", NULL, print_list },
	{ "--names", NULL, print_names },        { "--version", NULL, print_version },
	{ "--install", "DIR", applet_install },  { "--man", "APPLET", print_man },
	{ "--man-all", "DIR", write_man_pages }, { "--completion", NULL, print_completion },
};

static int run_command(const struct command *c, int argc, char **argv)
{
	int most = c->arg ? 2 : 1, status;

	if (argc > most)
		misused("too many arguments: %s", argv[most]);
	if (argc < most && *c->arg != '[')
		misused("%s is missing", c->arg);
	status = c->run(argc > 1 ? argv[1] : NULL);
	out_flush();
	return status;
}

int main(int argc, char **argv)
{
	const struct applet *a = argc ? applet_find(basename(argv[0])) : NULL;

	open_standard_files();
	signal(SIGPIPE, SIG_IGN); /* out_flush() sees EPIPE, and ends the run in good order */
	if (a)
		return run_applet(a, argc, argv);
	if (argc < 2)
		return run_command(&commands[0], argc, argv);
	argc--, argv++;
	a = applet_find(argv[0]);
	if (a)
		return run_applet(a, argc, argv);
	if (!strcmp(argv[0], "check"))
		return check_main(argc, argv);
	for (size_t i = 0; i < ARRAY_SIZE(commands); i++)
		if (!strcmp(commands[i].name, argv[0]))
			return run_command(&commands[i], argc, argv);
	if (argv[0][0] == '-')
		misused("unrecognized option '%s'", argv[0]);
	must_find(argv[0]);
	return 2;
}
