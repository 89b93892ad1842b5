/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Writes an inventory as a tar archive.
 */
#pragma once

#include "inventory.h"
#include "scrub.h"

enum snapshot_how {
	SNAPSHOT_PLAIN,
	SNAPSHOT_GZIP,
	SNAPSHOT_ZSTD,
};

/* By the end of its name: .tar, .tar.gz, .tgz, .tar.zst, .tzst; false for others. */
bool snapshot_how(const char *name, enum snapshot_how *ret) __attribute__((nonnull));

struct snapshot_result {
	size_t written, unreadable; /* items */
};

/* Before the first snapshot_write(): 0, or -ELIBACC with `why`. */
int snapshot_ready(struct str *why) __attribute__((nonnull, warn_unused_result));

/*
 * To a descriptor, which stays open. `scrub` may be NULL. What is gone is left out; what
 * cannot be read is counted. Returns 0 or a negative errno.
 */
int snapshot_write(const struct inventory *inventory, struct scrub *scrub,
		   enum snapshot_how how, int fd, struct snapshot_result *ret)
	__attribute__((nonnull(1, 5), warn_unused_result));
