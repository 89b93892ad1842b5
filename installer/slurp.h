/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whole files on the heap.
 */
#pragma once

#include "fs.h"

/*
 * Reads a file of up to `max` bytes and puts a NUL behind it. Returns 0 with *ret, which
 * the caller frees, or a negative errno: -EFBIG if it is larger.
 */
int slurp(struct fs *root, const char *path, size_t max, char **ret, size_t *ret_len)
	__attribute__((nonnull, warn_unused_result));

/*
 * The names in a folder, sorted. Returns 0 or a negative errno; on success the caller
 * calls name_list_finish().
 */
struct name_list {
	char **names;
	size_t n, room;
};
int name_list_read(struct fs *root, const char *path, struct name_list *ret)
	__attribute__((nonnull, warn_unused_result));
void name_list_finish(struct name_list *list) __attribute__((nonnull));
