/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "mount.h"

#include <errno.h>
#include <stdbool.h>
#include <stddef.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

/*
 * linux/mount.h, which clashes with sys/mount.h in some libcs; the numbers are every
 * architecture's
 */
#ifndef SYS_fsopen
#define SYS_fsopen 430
#define SYS_fsconfig 431
#define SYS_fsmount 432
#endif
#define FSOPEN_CLOEXEC 1
#define FSMOUNT_CLOEXEC 1
#define FSCONFIG_SET_FLAG 0
#define FSCONFIG_SET_STRING 1
#define FSCONFIG_CMD_CREATE 6
#define MOUNT_ATTR_NOSUID 0x02
#define MOUNT_ATTR_NODEV 0x04
#define MOUNT_ATTR_NOEXEC 0x08

static int config(int fd, unsigned command, const char *key, const char *value)
{
	return syscall(SYS_fsconfig, fd, command, key, value, 0) < 0 ? -errno : 0;
}

/* The option that leaves the journal alone; reading otherwise replays it first. */
static const char *no_replay(const char *type)
{
	if (!strcmp(type, "ext3") || !strcmp(type, "ext4"))
		return "noload";
	return strcmp(type, "xfs") ? NULL : "norecovery";
}

/*
 * Those that take errors=. Without it the file system's own setting says what damage
 * leads to, and that may be to stop the machine. One that is mounted already keeps its
 * options.
 */
static bool knows_errors(const char *type)
{
	return !strcmp(type, "ext2") || !strcmp(type, "ext3") || !strcmp(type, "ext4") ||
	       !strcmp(type, "vfat");
}

int mount_private(const char *type, const char *source, enum mount_use use)
{
	int fd, mount, r = 0;

	fd = (int)syscall(SYS_fsopen, type, FSOPEN_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (source)
		r = config(fd, FSCONFIG_SET_STRING, "source", source);
	if (r == 0 && use != MOUNT_WRITE)
		r = config(fd, FSCONFIG_SET_FLAG, "ro", NULL);
	if (r == 0 && use == MOUNT_LOOK && no_replay(type))
		r = config(fd, FSCONFIG_SET_FLAG, no_replay(type), NULL);
	if (r == 0 && knows_errors(type))
		r = config(fd, FSCONFIG_SET_STRING, "errors", "remount-ro");
	if (r == 0)
		r = config(fd, FSCONFIG_CMD_CREATE, NULL, NULL);
	if (r == 0) {
		mount = (int)syscall(SYS_fsmount, fd, FSMOUNT_CLOEXEC,
				     MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV |
					     MOUNT_ATTR_NOEXEC);
		r = mount < 0 ? -errno : mount;
	}
	close(fd);
	return r;
}
