/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "foreground.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "host.h"
#include "str.h"
#include "text.h"

#define PATIENCE 100 /* tenths of a second until all virtual processors run */

static pid_t child;

static void forward(int signal)
{
	kill(child, signal);
}

/* ---- pinning, by the names that debug-threads=on gives */

static void set_of(const char *list, cpu_set_t *ret)
{
	unsigned first, last;

	CPU_ZERO(ret);
	while (host_list_next(&list, &first, &last))
		for (unsigned i = first; i <= last && i < CPU_SETSIZE; i++)
			CPU_SET(i, ret);
}

/* "CPU 3/KVM" is the fourth virtual processor; -1: none. */
static int processor_of(const char *name)
{
	uint64_t n;

	if (!str_take_text(&name, "CPU ") || !str_take_uint(&name, 4096, &n) ||
	    *name != '/')
		return -1;
	return (int)n;
}

/* Pins every thread there is and returns how many virtual processors are among them. */
static size_t pin_threads(int folder, const struct vm *vm)
{
	DIR *dir = fdopendir(dup(folder));
	const struct dirent *entry;
	size_t found = 0;

	if (!dir)
		return 0;
	rewinddir(dir);
	while ((entry = readdir(dir))) {
		char path[300], name[32] = "";
		cpu_set_t set;
		ssize_t n;
		int fd, which;

		snprintf(path, sizeof(path), "%s/comm", entry->d_name);
		fd = openat(folder, path, O_RDONLY | O_CLOEXEC);
		n = fd < 0 ? -1 : read(fd, name, sizeof(name) - 1);
		if (fd >= 0)
			close(fd);
		if (n <= 0 || *entry->d_name == '.')
			continue;
		which = processor_of(name);
		if (which >= (int)vm->pins.n)
			continue;
		set_of(which < 0 ? vm->other_cpus : vm->pins.items[which], &set);
		(void)!sched_setaffinity(atoi(entry->d_name), sizeof(set), &set);
		found += which >= 0;
	}
	closedir(dir);
	return found;
}

static void pin(const struct vm *vm)
{
	char path[64];
	int folder;

	snprintf(path, sizeof(path), "/proc/%d/task", child);
	folder = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (folder < 0)
		return;
	for (unsigned i = 0; i < PATIENCE; i++) {
		if (pin_threads(folder, vm) >= vm->pins.n ||
		    waitpid(child, NULL, WNOHANG | WNOWAIT) != 0)
			break;
		usleep(100000);
	}
	close(folder);
}

/* ---- running */

static _Noreturn void become(char *const *argv, int pipe_fd)
{
	const struct rlimit all = { RLIM_INFINITY, RLIM_INFINITY };
	int error;

	prctl(PR_SET_PDEATHSIG, SIGTERM);
	(void)!setrlimit(RLIMIT_MEMLOCK, &all);
	execv(argv[0], argv);
	error = errno;
	(void)!write(pipe_fd, &error, sizeof(error));
	_exit(127);
}

static int start(char *const *argv)
{
	int fds[2], error = 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	child = fork();
	if (child == 0)
		become(argv, fds[1]);
	if (child < 0)
		error = errno;
	close(fds[1]);
	if (child > 0 && read(fds[0], &error, sizeof(error)) == (ssize_t)sizeof(error))
		waitpid(child, NULL, 0);
	else if (child > 0)
		error = 0;
	close(fds[0]);
	return -error;
}

int foreground_run(char *const *argv, const struct vm *vm)
{
	const struct sigaction action = { .sa_handler = forward, .sa_flags = SA_RESTART };
	int status, r;

	r = start(argv);
	if (r < 0)
		return r;
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGHUP, &action, NULL);
	signal(SIGINT, SIG_IGN); /* QEMU's own, from the same terminal */
	if (vm->pins.n)
		pin(vm);
	while (waitpid(child, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
