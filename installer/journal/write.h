/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files are replaced in two steps: first every new content is written beside its file and
 * has reached the disk, which is where a disk is full, then each is renamed over it.
 */
#pragma once

#include "change.h"
#include "meta.h"

#define WRITE_SUFFIX ".vfio-claim-new" /* of a temporary file, after "." and its name */

struct staged {
	const struct change *change;
	int dir, fd;
	char *temporary;
	struct meta meta; /* of the file that is there */
	bool existed;
	bool committed;
};

struct writer {
	struct fs *root;
	struct staged *items;
	size_t n;
};

/*
 * Prepares one; `change` is kept by reference. A file that exists keeps its metadata, one
 * that is made takes `meta`, or without it change->mode and the owner that runs this.
 * -ESTALE if the file is not as change->before, -ELOOP and -EINVAL as changes_put().
 */
int write_stage(struct writer *writer, const struct change *change,
		const struct meta *meta)
	__attribute__((nonnull(1, 2), warn_unused_result));

/*
 * Carries out one. On failure it may be committed all the same: then it is not durable.
 */
int write_commit(struct staged *staged) __attribute__((nonnull, warn_unused_result));

/* Drops what was not committed. */
void write_finish(struct writer *writer) __attribute__((nonnull));

/* Both steps for one file of ours. */
int write_now(struct fs *root, const char *path, const char *data, size_t len,
	      mode_t mode) __attribute__((nonnull, warn_unused_result));

/* Of a file that is there, and is one. */
int write_read_meta(struct fs *root, const char *path, struct meta *ret)
	__attribute__((nonnull, warn_unused_result));

/* 0 if it is gone, durably, or was not there. */
int write_remove(struct fs *root, const char *path) __attribute__((nonnull));

/* What a killed run left beside the file. */
void write_clean(struct fs *root, const char *path) __attribute__((nonnull));

/* Calls `fn` with each folder above `path` that is missing, from the top. */
int write_missing(struct fs *root, const char *path, int (*fn)(void *, const char *),
		  void *arg) __attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Makes a folder whose parent is there; fine if it is there. */
int write_folder(struct fs *root, const char *path, mode_t mode)
	__attribute__((nonnull, warn_unused_result));

/* Removes a folder if it is empty. */
void write_remove_folder(struct fs *root, const char *path) __attribute__((nonnull));
