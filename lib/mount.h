/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file system mounted nowhere: its root is a descriptor that nobody else sees, and it
 * is unmounted when that is closed, even if the process is killed (fsopen(2), fsmount(2):
 * Linux 5.2).
 */
#pragma once

enum mount_use {
	MOUNT_READ,
	MOUNT_WRITE,
	/*
	 * Reads what is there and never writes, not even the journal that a crash has
	 * left: whoever hibernates has that file system mounted.
	 */
	MOUNT_LOOK,
};

/*
 * `source` may be NULL. Returns the descriptor, which the caller closes, or a negative
 * errno: -EBUSY if it is mounted already with another `use`, -ENODEV if the
 * kernel does not know the type.
 */
int mount_private(const char *type, const char *source, enum mount_use use)
	__attribute__((nonnull(1), warn_unused_result));
