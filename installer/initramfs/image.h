/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Reads an initramfs as the kernel does (init/initramfs.c): a chain of newc archives,
 * each plain or compressed, with zeros between them; alone in its file or in a unified
 * kernel image. Memory is bounded whatever the image is.
 */
#pragma once

#include <stdbool.h>
#include <stdint.h>

#include "str.h"

#define IMAGE_MAX_BYTES (4ULL << 30) /* of a file, and of all that it unpacks to */

struct image_entry {
	const char *path; /* without / or ./ before it; never NULL, valid until end() */
	uint32_t mode;
	uint64_t size; /* of its content, a symbolic link's target, too */
};

struct image_visitor {
	/*
	 * Every entry in the image's order; one path may come again and then replaces
	 * what was. True: its content is wanted.
	 */
	bool (*entry)(void *arg, const struct image_entry *entry);
	/* Its content, in pieces, and that it was all of it. */
	void (*data)(void *arg, const char *data, size_t len);
	void (*end)(void *arg);
	void *arg;
};

/*
 * Reads all of the file. Returns 0; -EBADMSG if the image is damaged or is none,
 * -EOPNOTSUPP if nothing here can unpack it, -EFBIG above IMAGE_MAX_BYTES, -EINVAL if the
 * descriptor is no regular file's, or another negative errno; `why` says it in words. The
 * visitor may have been called before an error.
 */
int image_walk(int fd, const struct image_visitor *visitor, struct str *why)
	__attribute__((nonnull, warn_unused_result));
