/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The record as the running system reaches it: the same store that early boot uses.
 */
#pragma once

#include "conf.h"
#include "store.h"

/*
 * Where this machine keeps its record: where this boot found it, or else where the
 * configuration says. Fills kind and partuuid of *ret; kind NONE if there is no place.
 */
void keep_locate(struct fs *root, const struct conf *conf, const struct record *boot,
		 struct record *ret) __attribute__((nonnull));

/* Opens it. Returns 0 or a negative errno; on success the caller calls store_finish(). */
int keep_open(struct fs *root, const struct record *where, bool writable,
	      struct store *ret) __attribute__((nonnull, warn_unused_result));

/*
 * Whether a boot is confirmed in its record: 1, 0, or a negative errno where that cannot
 * be read.
 */
int keep_confirmed(struct fs *root, const struct record *boot)
	__attribute__((nonnull, warn_unused_result));

/* "EFI variable", "boot partition UUID", "none" */
void keep_describe(struct str *s, const struct record *where) __attribute__((nonnull));
