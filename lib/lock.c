/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <time.h>
#include <unistd.h>

#define POLL_MS 20

int lock_take(struct fs *root, const char *path, unsigned wait_ms)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int fd = fs_open(root, path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);

	if (fd < 0)
		return fd;
	for (unsigned waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += POLL_MS) {
		if (waited >= wait_ms) {
			close(fd);
			return -EBUSY;
		}
		nanosleep(&pause, NULL);
	}
	return fd;
}
