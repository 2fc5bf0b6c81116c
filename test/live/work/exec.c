// Programs executed with many arguments, many at once, out of memory, and by threads.
#include <errno.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <fcntl.h>
#include <unistd.h>

#include "work.h"

WORK(exec_long, "PROGRAM N BYTES: execute PROGRAM in a child with N arguments of BYTES each")
{
	const char *program = text(argc, argv, 1, NULL);
	long n = number(argc, argv, 2, 1), bytes = number(argc, argv, 3, 1);
	char **args = calloc(n + 2, sizeof(*args));
	int report[2], error = 0, pid;

	args[0] = "program";
	for (long i = 1; i <= n; i++) {
		args[i] = malloc(bytes + 32);
		memset(args[i], 'a' + i % 26, bytes);
		args[i][sprintf(args[i], "%ld", i)] = '.';
		args[i][bytes] = '\0';
	}
	if (pipe2(report, O_CLOEXEC))
		fail("pipe");
	pid = fork();
	if (!pid) {
		// A child that only forked has none of these pages in its own tables; most look at
		// them.
		for (long i = 0; i <= n; i++)
			for (const volatile char *c = args[i]; *c; c++)
				;
		execve(program, args, environ);
		error = errno;
		_exit(write(report[1], &error, sizeof(error)) < 0);
	}
	close(report[1]);
	if (read(report[0], &error, sizeof(error)) < 0)
		fail("read");
	waitpid(pid, NULL, 0);
	printf("pid %d child %d errno %d\n", getpid(), pid, error);
	return 0;
}

WORK(exec_storm, "PROGRAM N JOBS: execute PROGRAM N times with its number, JOBS at once")
{
	const char *program = text(argc, argv, 1, NULL);
	long n = number(argc, argv, 2, 1), jobs = number(argc, argv, 3, 1), running = 0, done = 0;

	for (long i = 0; i < n; i++) {
		int pid, status;
		char word[24];

		if (running == jobs && wait(&status) > 0) {
			running--;
			done += !status;
		}
		pid = vfork();
		if (!pid) {
			snprintf(word, sizeof(word), "%ld", i);
			execl(program, program, "storm", word, NULL);
			_exit(127);
		}
		running += pid > 0;
	}
	for (int status; wait(&status) > 0;)
		done += !status;
	printf("pid %d done %ld\n", getpid(), done);
	return 0;
}

WORK(storm, "NUMBER: do nothing; for exec_storm, which passes this name")
{
	return argc != 2 || !argv[1];
}

WORK(exec_memory, "PROGRAM ARGS...: copy PROGRAM into a memfd and execute that by its descriptor")
{
	int memory = memfd_create("program", MFD_CLOEXEC),
	    file = open(text(argc, argv, 1, NULL), O_RDONLY);
	char data[65536];
	ssize_t n;
	int pid;

	while ((n = read(file, data, sizeof(data))) > 0)
		if (write(memory, data, n) != n)
			fail("write");
	pid = fork();
	if (!pid) {
		syscall(SYS_execveat, memory, "", argv + 1, environ, AT_EMPTY_PATH);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	printf("pid %d child %d fd %d\n", getpid(), pid, memory);
	return 0;
}

WORK(exec_cold, "PROGRAM ARG: execute PROGRAM with ARG in a page that is not in the page table")
{
	char path[] = "/tmp/exec_cold.XXXXXX";
	int file = mkstemp(path), pid;
	char *map;

	if (file < 0 || write(file, text(argc, argv, 2, NULL), strlen(argv[2]) + 1) < 0)
		fail(path);
	unlink(path);
	pid = fork();
	if (!pid) {
		map = mmap(NULL, 4096, PROT_READ, MAP_SHARED, file, 0);
		madvise(map, 4096, MADV_DONTNEED);
		char *args[] = { "cold", map, NULL };

		execve(argv[1], args, environ);
		_exit(127);
	}
	waitpid(pid, NULL, 0);
	printf("pid %d child %d\n", getpid(), pid);
	return 0;
}

static char *const *words;

static void *execute(void *unused)
{
	usleep(50000);
	execv(words[0], words);
	_exit(127);
	return unused;
}

WORK(exec_thread, "PROGRAM ARGS...: a child whose second thread executes PROGRAM")
{
	int pid = fork();

	text(argc, argv, 1, NULL);
	words = argv + 1;
	if (!pid) {
		pthread_t thread;

		pthread_create(&thread, NULL, execute, NULL);
		for (;;)
			pause();
	}
	waitpid(pid, NULL, 0);
	printf("pid %d child %d\n", getpid(), pid);
	return 0;
}

static void *linger(void *ms)
{
	usleep((long)ms * 1000);
	exit(3);
}

WORK(leader_first, "MS: a child whose first thread exits at once, the second after MS with code 3")
{
	int pid = fork(), status;

	if (!pid) {
		pthread_t thread;

		pthread_create(&thread, NULL, linger, (void *)number(argc, argv, 1, 100));
		syscall(SYS_exit, 0);
	}
	waitpid(pid, &status, 0);
	printf("pid %d child %d code %d\n", getpid(), pid, WEXITSTATUS(status));
	return 0;
}

static void *nothing(void *barrier)
{
	pthread_barrier_wait(barrier);
	return NULL;
}

WORK(exit_threads, "N ROUNDS: ROUNDS children, each of N threads that all exit at once")
{
	long n = number(argc, argv, 1, 2), rounds = number(argc, argv, 2, 1);

	for (long i = 0; i < rounds; i++) {
		pthread_barrier_t barrier;
		pthread_t thread;
		int pid = fork();

		if (!pid) {
			pthread_barrier_init(&barrier, NULL, n);
			for (long t = 1; t < n; t++)
				pthread_create(&thread, NULL, nothing, &barrier);
			nothing(&barrier);
			syscall(SYS_exit, 0);
		}
		waitpid(pid, NULL, 0);
	}
	printf("pid %d processes %ld\n", getpid(), rounds);
	return 0;
}

static void *dump(void *ms)
{
	usleep((long)ms * 1000);
	abort();
}

WORK(core, "MS: a child of two threads; the second aborts after MS and leaves a core")
{
	struct rlimit any = { RLIM_INFINITY, RLIM_INFINITY };
	int pid = fork(), status;

	if (!pid) {
		pthread_t thread;

		setrlimit(RLIMIT_CORE, &any);
		pthread_create(&thread, NULL, dump, (void *)number(argc, argv, 1, 0));
		for (;;)
			pause();
	}
	waitpid(pid, &status, 0);
	printf("pid %d child %d signal %d dumped %d\n", getpid(), pid, WTERMSIG(status),
	       !!WCOREDUMP(status));
	return 0;
}
