/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "turn.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock.h"
#include "report.h"

#define FOLDER "run/vfio-claim"
#define WAIT_MS 14000 /* vfio-claim-early takes 12 s at most */

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
	int fd;

	if (root->captured)
		return 0;
	(void)mkdirat(root->root_fd, FOLDER, 0755);
	fd = lock_take(root, REPORT_LOCK_PATH, WAIT_MS);
	if (fd < 0)
		return fd;
	kept_out = fd;
	return 0;
}

void turn_let_in(void)
{
	if (kept_out >= 0)
		close(kept_out);
	kept_out = -1;
}
