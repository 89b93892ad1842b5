/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "run.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "text.h"

#define SYSTEM_PATH "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define PATIENCE_MS 2000 /* before a word is said */
#define REMINDER_MS 30000 /* and between further ones */

/* The child: tells through the pipe, which a successful exec closes, why it failed. */
static _Noreturn void become(char *const *argv, const char *path, int pipe_fd)
{
	int null = open("/dev/null", O_RDONLY), error;

	if (null >= 0)
		dup2(null, STDIN_FILENO);
	dup2(STDERR_FILENO, STDOUT_FILENO);
	setenv("PATH", path, 1);
	execvp(argv[0], argv);
	error = errno;
	(void)!write(pipe_fd, &error, sizeof(error));
	_exit(127);
}

static int start(char *const *argv, const char *path, pid_t *ret)
{
	int fds[2], error = 0;
	ssize_t n;
	pid_t pid;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return -errno;
	fflush(NULL);
	pid = fork();
	if (pid == 0)
		become(argv, path, fds[1]);
	if (pid < 0)
		error = errno;
	close(fds[1]);
	if (pid > 0) {
		do
			n = read(fds[0], &error, sizeof(error));
		while (n < 0 && errno == EINTR);
		if (n != sizeof(error))
			error = 0;
		if (error)
			waitpid(pid, NULL, 0);
	}
	close(fds[0]);
	*ret = pid;
	return -error;
}

/* No such thing before Linux 5.3: then nothing is said. */
static void watch(pid_t pid, const char *name, const char *why)
{
	struct pollfd p = { .fd = (int)syscall(SYS_pidfd_open, pid, 0),
			    .events = POLLIN };
	int waited = 0, pause = PATIENCE_MS, n;

	if (p.fd < 0)
		return;
	fcntl(p.fd, F_SETFD, FD_CLOEXEC);
	for (;;) {
		n = poll(&p, 1, pause);
		if (n > 0 || (n < 0 && errno != EINTR))
			break;
		if (n < 0)
			continue;
		waited += pause;
		pause = REMINDER_MS;
		fprintf(stderr, _("vfio-claim: waiting for %s (to %s), %d s so far\n"),
			name, _(why), waited / 1000);
	}
	close(p.fd);
}

int run_program(char *const *argv, const char *why)
{
	const char *now = getenv("PATH");
	int status, r;
	pid_t pid = -1;
	char *path;

	if (asprintf(&path, "%s%s" SYSTEM_PATH, now ? now : "", now && *now ? ":" : "") <
	    0)
		return -ENOMEM;
	r = start(argv, path, &pid);
	free(path);
	if (r < 0)
		return r;
	watch(pid, argv[0], why);
	while (waitpid(pid, &status, 0) < 0)
		if (errno != EINTR)
			return -errno;
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}
