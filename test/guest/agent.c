// Process 1 of a test guest: runs one command, carries its signals, and lets the host know that the
// guest lives. It speaks lines over the virtio port "control":
//	to the host	"alive", every two seconds; "start"; "exit CODE"
//	from the host	"signal NUMBER"; "size ROWS COLUMNS"
// With a terminal the command gets /dev/hvc0, otherwise the ports "out" and "err".
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/reboot.h>
#include <sys/resource.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

static int find_port(const char *name)
{
	DIR *ports = opendir("/sys/class/virtio-ports");
	struct dirent *entry;
	int fd = -1;

	while (ports && fd < 0 && (entry = readdir(ports))) {
		char path[512], text[64] = "";
		FILE *file;

		snprintf(path, sizeof(path), "/sys/class/virtio-ports/%s/name", entry->d_name);
		file = fopen(path, "r");
		if (!file)
			continue;
		if (fscanf(file, "%63s", text) == 1 && !strcmp(text, name)) {
			snprintf(path, sizeof(path), "/dev/%s", entry->d_name);
			fd = open(path, O_RDWR | O_CLOEXEC);
		}
		fclose(file);
	}
	if (ports)
		closedir(ports);
	return fd;
}

// The host announces ports one by one after the driver has come up, so a port may be late.
static int open_late(int (*try)(const char *), const char *name)
{
	int fd;

	for (int i = 0; i < 1000; i++) {
		fd = try(name);
		if (fd >= 0)
			return fd;
		usleep(10000);
	}
	return -1;
}

static int open_terminal(const char *path)
{
	return open(path, O_RDWR | O_CLOEXEC | O_NOCTTY);
}

static int run(char **command, int terminal, int separate_errors)
{
	sigset_t none;
	int pid = fork();
	int in, out, err;

	if (pid)
		return pid;
	setsid();
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setpriority(PRIO_PROCESS, 0, 0);
	if (terminal >= 0) {
		in = out = err = terminal;
		ioctl(in, TIOCSCTTY, 1);
	} else {
		in = open("/dev/null", O_RDONLY);
		out = err = open_late(find_port, "out");
	}
	if (separate_errors)
		err = open_late(find_port, "err");
	dup2(in, 0);
	dup2(out, 1);
	dup2(err, 2);
	execv(command[0], command);
	_exit(127);
}

// With `terminal` < 0 there is none.
static void obey(char *line, int pid, int terminal)
{
	struct winsize size = { 0 };
	int number;

	if (sscanf(line, "signal %d", &number) == 1 && pid > 0)
		kill(-pid, number);
	if (sscanf(line, "size %hu %hu", &size.ws_row, &size.ws_col) == 2 && terminal >= 0)
		ioctl(terminal, TIOCSWINSZ, &size);
}

// Returns the command's exit code if it is among the dead.
static int reap(int command)
{
	int code = -1, status, pid;

	while ((pid = waitpid(-1, &status, WNOHANG)) > 0)
		if (pid == command)
			code = WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
	return code;
}

int main(int argc, char **argv)
{
	char line[256];
	size_t length = 0;
	sigset_t signals;
	int pid = -1, code = -1;
	int control, terminal = -1;

	if (argc < 4)
		return 2;
	setpriority(PRIO_PROCESS, 0, -10);
	sigemptyset(&signals);
	sigaddset(&signals, SIGCHLD);
	sigprocmask(SIG_BLOCK, &signals, NULL);
	control = open_late(find_port, "control");
	if (control < 0) {
		perror("control port");
		reboot(RB_POWER_OFF);
	}

	// Held open: the size of its window is forgotten when nobody has it open.
	if (!strcmp(argv[1], "terminal"))
		terminal = open_late(open_terminal, "/dev/hvc0");

	struct pollfd polled[] = {
		{ .fd = signalfd(-1, &signals, SFD_CLOEXEC), .events = POLLIN },
		{ .fd = control, .events = POLLIN },
	};

	// The window's size comes before the command, which asks for it first thing.
	dprintf(control, "start\n");
	while (code < 0) {
		struct signalfd_siginfo info;
		int ready = poll(polled, 2, 2000);

		if (!ready)
			dprintf(control, "alive\n");
		if (ready <= 0)
			continue;
		if (polled[0].revents && read(polled[0].fd, &info, sizeof(info)) > 0)
			code = reap(pid);
		if (polled[1].revents & POLLIN && read(control, line + length, 1) == 1) {
			if (line[length] == '\n' || ++length == sizeof(line) - 1) {
				line[length] = 0;
				length = 0;
				if (strcmp(line, "go"))
					obey(line, pid, terminal);
				else if (pid < 0)
					pid = run(argv + 3, terminal, !strcmp(argv[2], "separate"));
			}
		} else if (polled[1].revents & POLLHUP) {
			break;
		}
	}
	dprintf(control, "exit %d\n", code);
	sleep(5); // the host ends the guest as soon as it has all output
	reboot(RB_POWER_OFF);
}
