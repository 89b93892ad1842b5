/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A file that one at a time has: flock(), which ends with the last descriptor of it.
 */
#pragma once

#include "fs.h"

/*
 * Makes the file if it is missing, and waits for it. Returns a descriptor, close-on-exec,
 * which the caller closes; -EBUSY if it is another's for that long; or another negative
 * errno.
 */
int lock_take(struct fs *root, const char *path, unsigned wait_ms)
	__attribute__((nonnull, warn_unused_result));
