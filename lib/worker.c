/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "worker.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define KILL_GRACE_MS 200

static long now_ms(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

/* The child holds the other end of the pipe open as long as it lives. */
static bool wait_hangup(int fd, int timeout_ms)
{
	struct pollfd p = { .fd = fd };
	long end = now_ms() + timeout_ms, left;
	int r;

	while ((left = end - now_ms()) > 0) {
		r = poll(&p, 1, (int)left);
		if (r > 0)
			return true;
		if (r < 0 && errno != EINTR)
			return false;
	}
	return false;
}

enum worker_end worker_run(void (*fn)(void *arg), void *arg, int deadline_ms)
{
	enum worker_end end;
	int ends[2], status;
	pid_t pid;

	if (pipe2(ends, O_CLOEXEC) < 0)
		return WORKER_DIED;
	/* one thread and no handlers: nothing that fork() would have to protect */
	pid = _Fork();
	if (pid == 0) {
		close(ends[0]);
		fn(arg);
		_exit(0);
	}
	close(ends[1]);
	if (pid < 0) {
		close(ends[0]);
		return WORKER_DIED;
	}
	if (wait_hangup(ends[0], deadline_ms)) {
		end = WORKER_DIED;
		if (waitpid(pid, &status, 0) == pid && WIFEXITED(status))
			end = WORKER_DONE;
	} else {
		end = WORKER_LATE;
		kill(pid, SIGKILL);
		(void)wait_hangup(ends[0], KILL_GRACE_MS);
	}
	close(ends[0]);
	return end;
}
