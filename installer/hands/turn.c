/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "turn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "report.h"

#define FOLDER "run/vfio-claim"
#define WAIT_MS 14000 /* vfio-claim-early takes 12 s at most */
#define POLL_MS 20

static int kept_out = -1;

int turn_take(struct fs *root, bool wait)
{
	/* not flock(): a worker would inherit it */
	struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };
	int fd, r;

	(void)mkdirat(root->root_fd, FOLDER, 0755);
	fd = fs_open(root, FOLDER "/lock", O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return fd;
	do
		r = fcntl(fd, wait ? F_SETLKW : F_SETLK, &whole);
	while (r < 0 && errno == EINTR);
	if (r == 0)
		return fd;
	r = errno == EACCES ? -EAGAIN : -errno;
	close(fd);
	return r;
}

int turn_keep_out(struct fs *root)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int fd;

	if (root->captured)
		return 0;
	(void)mkdirat(root->root_fd, FOLDER, 0755);
	fd = fs_open(root, REPORT_LOCK_PATH, O_RDWR | O_CREAT, 0600);
	if (fd < 0)
		return fd;
	for (int waited = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; waited += POLL_MS) {
		if (waited >= WAIT_MS) {
			close(fd);
			return -EBUSY;
		}
		nanosleep(&pause, NULL);
	}
	kept_out = fd;
	return 0;
}

void turn_let_in(void)
{
	if (kept_out >= 0)
		close(kept_out);
	kept_out = -1;
}
