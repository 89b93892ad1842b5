/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Images made in memory: newc archives, and what compresses them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct bytes {
	char *data; /* heap */
	size_t len;
};

enum packing {
	PLAIN,
	GZIP,
	XZ,
	ZSTD,
	LZ4,
	LZ4_LEGACY, /* what mkinitramfs makes: lz4 -l */
	LZMA,
	BZIP2,
	PACKINGS,
};

extern const char *const packing_names[PACKINGS];

void bytes_add(struct bytes *b, const void *data, size_t len);
void bytes_zeros(struct bytes *b, size_t n);
void bytes_finish(struct bytes *b);

/* One entry, its padding included. */
void cpio_add(struct bytes *b, const char *name, uint32_t mode, const void *data,
	      size_t len);
/* The same with a text, as a regular file. */
void cpio_text(struct bytes *b, const char *name, const char *text);
/* A header alone, and the name without any padding. */
void cpio_header(struct bytes *b, uint32_t mode, uint32_t size, uint32_t name_size);
void cpio_end(struct bytes *b);

/* Appends `plain` in that packing. */
void bytes_pack(struct bytes *b, enum packing packing, const struct bytes *plain);

/* A descriptor, at its beginning; the caller closes it. */
int bytes_file(const struct bytes *b);
