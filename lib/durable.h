/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes to a folder that a power cut leaves done or not done, on FAT, too. Each returns
 * 0 or a negative errno.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

/* All of it, whatever interrupts. */
int write_whole(int fd, const char *data, size_t len)
	__attribute__((nonnull, warn_unused_result));

/*
 * Gives the file `fd`, whose content has reached the disk, the name `to` in place of
 * `from`, both in the folder `dir`. On failure *ret_done tells whether it has the name
 * all the same: then that is not on the disk.
 */
int durable_rename(int dir, int fd, const char *from, const char *to, bool *ret_done)
	__attribute__((nonnull, warn_unused_result));

/* Fine if it is not there; *ret_done as above. */
int durable_unlink(int dir, const char *name, bool *ret_done)
	__attribute__((nonnull, warn_unused_result));
