// Processes: signals by every call there is, exec in its forms, exits in theirs.
#include "work.h"
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

static long send_signal(const char *call, int pid, int tid, int signal)
{
	siginfo_t info = { 0 };

	info.si_code = SI_QUEUE;
	info.si_signo = signal;
	if (!strcmp(call, "kill"))
		return syscall(SYS_kill, pid, signal);
	if (!strcmp(call, "tkill"))
		return syscall(SYS_tkill, tid, signal);
	if (!strcmp(call, "tgkill"))
		return syscall(SYS_tgkill, pid, tid, signal);
	if (!strcmp(call, "rt_sigqueueinfo"))
		return syscall(SYS_rt_sigqueueinfo, pid, signal, &info);
	if (!strcmp(call, "rt_tgsigqueueinfo"))
		return syscall(SYS_rt_tgsigqueueinfo, pid, tid, signal, &info);
	if (!strcmp(call, "pidfd_send_signal")) {
		int fd = syscall(SYS_pidfd_open, pid, 0);
		long result = syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0);
		int error = errno;

		close(fd);
		errno = error;
		return result;
	}
	fprintf(stderr, "work: kill: no call %s\n", call);
	exit(2);
}

WORK(kill, "CALL SIGNAL N [PID]: send N times by CALL (kill, tkill, tgkill, rt_sigqueueinfo, "
	   "rt_tgsigqueueinfo, pidfd_send_signal); to a child that ignores it unless PID is given")
{
	const char *call = text(argc, argv, 1, "kill");
	long signal_number = number(argc, argv, 2, SIGUSR1), count = number(argc, argv, 3, 1);
	long target = number(argc, argv, 4, 0), sent = 0, failed = 0;
	int child = 0, error = 0;

	if (!target) {
		// Ignored signals stay ignored across fork, so there is no race with the child.
		signal(signal_number, SIG_IGN);
		target = child = fork();
		if (!child)
			for (;;)
				pause();
	}
	for (long i = 0; i < count; i++) {
		if (send_signal(call, target, target, signal_number)) {
			failed++;
			error = errno;
		} else {
			sent++;
		}
	}
	printf("pid %d target %ld sent %ld failed %ld errno %d\n", getpid(), target, sent, failed,
	       error);
	if (child) {
		syscall(SYS_kill, child, SIGKILL);
		waitpid(child, NULL, 0);
	}
	return 0;
}

WORK(exec,
     "execve|execveat|fexecve PROGRAM ARGS...: in a child; prints its pid, errno and exit code")
{
	const char *call = text(argc, argv, 1, NULL), *program = text(argc, argv, 2, NULL);
	int report[2], error = 0, status = 0, pid;

	if (pipe2(report, O_CLOEXEC))
		fail("pipe");
	pid = fork();
	if (!pid) {
		if (!strcmp(call, "execve")) {
			execve(program, argv + 2, environ);
		} else {
			int fd = open(program, O_PATH | O_CLOEXEC);

			if (!strcmp(call, "execveat"))
				syscall(SYS_execveat, AT_FDCWD, program, argv + 2, environ, 0);
			else if (fd >= 0)
				syscall(SYS_execveat, fd, "", argv + 2, environ, AT_EMPTY_PATH);
		}
		error = errno;
		if (write(report[1], &error, sizeof(error)) < 0)
			_exit(126);
		_exit(127);
	}
	close(report[1]);
	if (read(report[0], &error, sizeof(error)) < 0)
		fail("read");
	waitpid(pid, &status, 0);
	printf("pid %d child %d errno %d code %d\n", getpid(), pid, error, WEXITSTATUS(status));
	return 0;
}

struct ending {
	int code, signal;
};

static void *end_all(void *argument)
{
	struct ending *ending = argument;

	if (ending->signal) {
		syscall(SYS_kill, getpid(), ending->signal);
		for (;;) // until the thread that the kernel chose for it has died of it
			pause();
	}
	syscall(SYS_exit_group, ending->code);
	return NULL;
}

WORK(exit,
     "CODE AGE_MS [SIGNAL] [thread]: a child that lives AGE_MS, then exits or dies of SIGNAL, "
     "out of a second thread if asked")
{
	long code = number(argc, argv, 1, 0), age = number(argc, argv, 2, 0);
	struct ending ending = { code, number(argc, argv, 3, 0) };
	int threaded = argc > 4 && !strcmp(argv[4], "thread");
	int pid = fork(), status;

	if (!pid) {
		pthread_t thread;

		usleep(age * 1000);
		if (!threaded)
			end_all(&ending);
		pthread_create(&thread, NULL, end_all, &ending);
		pause();
	}
	waitpid(pid, &status, 0);
	printf("pid %d child %d code %d signal %d\n", getpid(), pid,
	       WIFEXITED(status) ? WEXITSTATUS(status) : 0,
	       WIFSIGNALED(status) ? WTERMSIG(status) : 0);
	return 0;
}
