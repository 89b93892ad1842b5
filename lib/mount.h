/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file system mounted nowhere: its root is a descriptor that nobody else sees, and it
 * is unmounted when that is closed, even if the process is killed (fsopen(2), fsmount(2):
 * Linux 5.2).
 */
#pragma once

#include <stdbool.h>

/*
 * `source` may be NULL. Returns the descriptor, which the caller closes, or a negative
 * errno: -EBUSY if it is mounted already with the opposite of `writable`, -ENODEV if the
 * kernel does not know the type.
 */
int mount_private(const char *type, const char *source, bool writable)
	__attribute__((nonnull(1), warn_unused_result));
