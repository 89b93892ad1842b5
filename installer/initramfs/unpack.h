/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a compressed part of an image unpacks to, by libarchive: gzip, xz, zstd, lz4,
 * lzma, bzip2, lzo. In this process, and no program is started for it.
 */
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "str.h"

struct unpack;

/*
 * Up to `size` bytes of the image at `pos`; how many (0: its end), or a negative errno.
 */
typedef ssize_t unpack_read_fn(void *arg, char *buf, size_t size, uint64_t pos);

/*
 * Of the part that begins at `pos`. Returns 0; -EBADMSG if nothing compressed begins
 * there; -EOPNOTSUPP if libarchive cannot do this kind, -ELIBACC if there is none; or
 * another negative errno; `why` says it. On success the caller calls unpack_close().
 */
int unpack_open(unpack_read_fn *read, void *arg, uint64_t pos, struct unpack **ret,
		struct str *why) __attribute__((nonnull(1, 4, 5), warn_unused_result));
void unpack_close(struct unpack *unpack);

/*
 * More of it, valid until the next call. Returns 1 with at least one byte, 0 at the end,
 * or a negative errno with `why`.
 */
int unpack_more(struct unpack *unpack, const char **ret, size_t *ret_len, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* Bytes of the image that it took; known at the end. */
uint64_t unpack_taken(const struct unpack *unpack) __attribute__((nonnull));
