/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "durable.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

int write_whole(int fd, const char *data, size_t len)
{
	ssize_t n;

	for (; len > 0; data += n, len -= (size_t)n) {
		n = write(fd, data, len);
		if (n < 0 && errno == EINTR)
			n = 0;
		else if (n < 0)
			return -errno;
	}
	return 0;
}

/*
 * FAT gives a file's clusters back when the last one closes it, and nothing orders that
 * after the write of the folder's entry: after a power cut the old name could lead to
 * nothing. So somebody keeps it open until the entry is on the disk.
 */
static int hold(int dir, const char *name)
{
	return openat(dir, name, O_PATH | O_NOFOLLOW | O_CLOEXEC);
}

static void let_go(int fd)
{
	if (fd >= 0)
		close(fd);
}

int durable_rename(int dir, int fd, const char *from, const char *to, bool *ret_done)
{
	const int old = hold(dir, to);
	int r = 0;

	*ret_done = renameat(dir, from, dir, to) == 0;
	/*
	 * On FAT the folder takes the old name away, and the file, in whose entry its
	 * place stands, takes the new one: in the other order both names lead to it for a
	 * moment, and fsck.fat empties one of them.
	 */
	if (!*ret_done || fsync(dir) < 0 || fsync(fd) < 0)
		r = -errno;
	let_go(old);
	return r;
}

int durable_unlink(int dir, const char *name, bool *ret_done)
{
	const int old = hold(dir, name);
	int r = 0;

	*ret_done = unlinkat(dir, name, 0) == 0 || errno == ENOENT;
	if (!*ret_done || fsync(dir) < 0)
		r = -errno;
	let_go(old);
	return r;
}
