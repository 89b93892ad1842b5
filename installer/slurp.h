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

/* Relative, without "..", "." and empty components. */
bool path_is_plain(const char *path) __attribute__((nonnull));

/*
 * Of a descriptor that is open for reading, from its place on. -EINVAL if it is no regular
 * file.
 */
int slurp_fd(int fd, size_t max, char **ret, size_t *ret_len)
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
/* Those that end so; none if there is no such folder. */
int name_list_find(struct fs *root, const char *path, const char *suffix,
		   struct name_list *ret) __attribute__((nonnull, warn_unused_result));
/* Keeps those for which `keep` is true. */
void name_list_filter(struct name_list *list, bool (*keep)(void *arg, const char *name),
		      void *arg) __attribute__((nonnull(1, 2)));
void name_list_finish(struct name_list *list) __attribute__((nonnull));
#define NAMES_OWNED __attribute__((cleanup(name_list_finish)))
