// SPDX-License-Identifier: GPL-2.0-or-later
#include "cpio.h"

#include <archive.h>
#include <archive_entry.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unit.h"

const char *const packing_names[PACKINGS] = {
	[PLAIN] = "plain", [GZIP] = "gzip",	    [XZ] = "xz",     [ZSTD] = "zstd",
	[LZ4] = "lz4",	   [LZ4_LEGACY] = "lz4 -l", [LZMA] = "lzma", [BZIP2] = "bzip2",
};

void bytes_add(struct bytes *b, const void *data, size_t len)
{
	if (len == 0)
		return;
	b->data = realloc(b->data, b->len + len);
	assert_non_null(b->data);
	memcpy(b->data + b->len, data, len);
	b->len += len;
}

void bytes_zeros(struct bytes *b, size_t n)
{
	for (; n > 0; n--)
		bytes_add(b, "", 1);
}

void bytes_finish(struct bytes *b)
{
	free(b->data);
	*b = (struct bytes){ 0 };
}

static void pad(struct bytes *b)
{
	bytes_zeros(b, (4 - (b->len & 3)) & 3);
}

void cpio_header(struct bytes *b, uint32_t mode, uint32_t size, uint32_t name_size)
{
	char text[128];

	snprintf(text, sizeof(text),
		 "070701%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x%08x", 1, mode, 0,
		 0, 1, 0, size, 0, 0, 0, 0, name_size, 0);
	bytes_add(b, text, 110);
}

void cpio_add(struct bytes *b, const char *name, uint32_t mode, const void *data,
	      size_t len)
{
	cpio_header(b, mode, (uint32_t)len, (uint32_t)strlen(name) + 1);
	bytes_add(b, name, strlen(name) + 1);
	pad(b);
	bytes_add(b, data, len);
	pad(b);
}

void cpio_text(struct bytes *b, const char *name, const char *text)
{
	cpio_add(b, name, S_IFREG | 0644, text, strlen(text));
}

void cpio_end(struct bytes *b)
{
	cpio_add(b, "TRAILER!!!", 0, NULL, 0);
}

/* ---- packing */

static void add_u32(struct bytes *b, size_t v)
{
	const uint8_t le[] = { v & 0xff, v >> 8 & 0xff, v >> 16 & 0xff, v >> 24 & 0xff };

	bytes_add(b, le, sizeof(le));
}

/* One block of literals: lz4_Block_format.md. */
static void pack_lz4_legacy(struct bytes *b, const struct bytes *plain)
{
	struct bytes block = { 0 };
	size_t n = plain->len - 15;

	bytes_add(&block, "\xf0", 1);
	for (; n >= 255; n -= 255)
		bytes_add(&block, "\xff", 1);
	bytes_add(&block, &(uint8_t){ (uint8_t)n }, 1);
	bytes_add(&block, plain->data, plain->len);
	bytes_add(b, "\x02\x21\x4c\x18", 4);
	add_u32(b, block.len);
	bytes_add(b, block.data, block.len);
	bytes_finish(&block);
}

static la_ssize_t add_packed(struct archive *archive __attribute__((unused)), void *arg,
			     const void *data, size_t len)
{
	bytes_add(arg, data, len);
	return (la_ssize_t)len;
}

static void set_filter(struct archive *archive, enum packing packing)
{
	static int (*const filters[PACKINGS])(struct archive *) = {
		[GZIP] = archive_write_add_filter_gzip,
		[XZ] = archive_write_add_filter_xz,
		[ZSTD] = archive_write_add_filter_zstd,
		[LZ4] = archive_write_add_filter_lz4,
		[LZMA] = archive_write_add_filter_lzma,
		[BZIP2] = archive_write_add_filter_bzip2,
	};

	assert_int_equal(filters[packing](archive), ARCHIVE_OK);
}

void bytes_pack(struct bytes *b, enum packing packing, const struct bytes *plain)
{
	struct archive *archive;
	struct archive_entry *entry;

	if (packing == PLAIN) {
		bytes_add(b, plain->data, plain->len);
		return;
	}
	if (packing == LZ4_LEGACY) {
		pack_lz4_legacy(b, plain);
		return;
	}
	archive = archive_write_new();
	set_filter(archive, packing);
	archive_write_set_format_raw(archive);
	/* no filling up of the last block */
	archive_write_set_bytes_in_last_block(archive, 1);
	assert_int_equal(archive_write_open(archive, b, NULL, add_packed, NULL),
			 ARCHIVE_OK);
	entry = archive_entry_new();
	archive_entry_set_pathname(entry, "data");
	archive_entry_set_filetype(entry, AE_IFREG);
	assert_int_equal(archive_write_header(archive, entry), ARCHIVE_OK);
	assert_int_equal(archive_write_data(archive, plain->data, plain->len),
			 (long)plain->len);
	archive_entry_free(entry);
	assert_int_equal(archive_write_close(archive), ARCHIVE_OK);
	archive_write_free(archive);
}

int bytes_file(const struct bytes *b)
{
	const int fd = memfd_create("image", MFD_CLOEXEC);

	assert_true(fd >= 0);
	assert_int_equal(write(fd, b->data, b->len), (long)b->len);
	return fd;
}
