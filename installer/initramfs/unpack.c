/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unpack.h"

#include <archive.h>
#include <errno.h>
#include <stdlib.h>

#include "library.h"
#include "text.h"

#define BLOCK (128 * 1024)

#define CALLS(CALL)                             \
	CALL(archive_errno)                     \
	CALL(archive_error_string)              \
	CALL(archive_filter_bytes)              \
	CALL(archive_filter_count)              \
	CALL(archive_read_data_block)           \
	CALL(archive_read_free)                 \
	CALL(archive_read_new)                  \
	CALL(archive_read_next_header)          \
	CALL(archive_read_open)                 \
	CALL(archive_read_support_filter_bzip2) \
	CALL(archive_read_support_filter_gzip)  \
	CALL(archive_read_support_filter_lz4)   \
	CALL(archive_read_support_filter_lzma)  \
	CALL(archive_read_support_filter_lzop)  \
	CALL(archive_read_support_filter_xz)    \
	CALL(archive_read_support_filter_zstd)  \
	CALL(archive_read_support_format_raw)   \
	CALL(archive_set_error)
LIBRARY_CALLS(calls, CALLS);

typedef int (*filter_fn)(struct archive *archive);

static const struct packer {
	const char *name;
	const char *magic;
	size_t len;
	const filter_fn *filter;
} packers[] = {
	{ "gzip", "\x1f\x8b", 2, &sym_archive_read_support_filter_gzip },
	{ "xz",
	  "\xfd"
	  "7zXZ\0",
	  6, &sym_archive_read_support_filter_xz },
	{ "zstd", "\x28\xb5\x2f\xfd", 4, &sym_archive_read_support_filter_zstd },
	{ "lz4", "\x02\x21\x4c\x18", 4, &sym_archive_read_support_filter_lz4 },
	{ "lz4", "\x04\x22\x4d\x18", 4, &sym_archive_read_support_filter_lz4 },
	{ "lzma", "\x5d\0\0", 3, &sym_archive_read_support_filter_lzma },
	{ "bzip2", "BZh", 3, &sym_archive_read_support_filter_bzip2 },
	{ "lzo", "\x89LZO\0\r\n\x1a\n", 9, &sym_archive_read_support_filter_lzop },
};

struct unpack {
	struct archive *archive;
	unpack_read_fn *read;
	void *arg;
	uint64_t pos; /* where libarchive reads next */
	char block[BLOCK];
};

static int damaged(struct str *why, const char *what)
{
	str_add(why, what);
	return -EBADMSG;
}

static int failed(const struct unpack *u, struct str *why)
{
	const char *error = sym_archive_error_string(u->archive);
	char text[160];

	text_clean(text, sizeof(text), error ? error : "?");
	str_join(why, _("it cannot be unpacked: "), text, NULL);
	return sym_archive_errno(u->archive) == ENOMEM ? -ENOMEM : -EBADMSG;
}

static la_ssize_t read_packed(struct archive *archive, void *arg, const void **ret)
{
	struct unpack *u = arg;
	const ssize_t n = u->read(u->arg, u->block, BLOCK, u->pos);

	if (n < 0) {
		sym_archive_set_error(archive, -(int)n, "%s", str_errno((int)n));
		return -1;
	}
	*ret = u->block;
	u->pos += (uint64_t)n;
	return n;
}

static int find_packer(const struct unpack *u, const struct packer **ret, struct str *why)
{
	char magic[16] = "";
	const ssize_t n = u->read(u->arg, magic, sizeof(magic), u->pos);

	for (size_t i = 0; i < ARRAY_SIZE(packers); i++) {
		if (n >= (ssize_t)packers[i].len &&
		    memcmp(magic, packers[i].magic, packers[i].len) == 0) {
			*ret = &packers[i];
			return 0;
		}
	}
	return damaged(why,
		       _("neither an archive nor anything compressed begins where one "
			 "should"));
}

/* With this one way to unpack: OK or another one. */
static int open_packed(struct unpack *u, const struct packer *packer, struct str *why)
{
	struct archive_entry *entry;

	/* ARCHIVE_WARN: libarchive would run a program */
	if ((*packer->filter)(u->archive) != ARCHIVE_OK) {
		str_join(why, _("it is compressed with "), packer->name,
			 _(", which libarchive cannot unpack here"), NULL);
		return -EOPNOTSUPP;
	}
	if (sym_archive_read_support_format_raw(u->archive) != ARCHIVE_OK ||
	    sym_archive_read_open(u->archive, u, NULL, read_packed, NULL) != ARCHIVE_OK ||
	    sym_archive_read_next_header(u->archive, &entry) != ARCHIVE_OK)
		return failed(u, why);
	/* the file and one filter: what is compressed twice is not what a kernel reads */
	if (sym_archive_filter_count(u->archive) != 2)
		return damaged(why, _("what is compressed in it is no archive"));
	return 0;
}

int unpack_open(unpack_read_fn *read, void *arg, uint64_t pos, struct unpack **ret,
		struct str *why)
{
	const struct packer *packer;
	struct unpack *u;
	int r;

	r = library_load(LIBRARY_ARCHIVE, calls, ARRAY_SIZE(calls), why);
	if (r < 0)
		return r;
	u = malloc(sizeof(*u));
	if (!u)
		return -ENOMEM;
	u->archive = sym_archive_read_new();
	u->read = read;
	u->arg = arg;
	u->pos = pos;
	r = u->archive ? find_packer(u, &packer, why) : -ENOMEM;
	if (r == 0)
		r = open_packed(u, packer, why);
	if (r < 0)
		unpack_close(u);
	else
		*ret = u;
	return r;
}

void unpack_close(struct unpack *unpack)
{
	if (unpack && unpack->archive)
		sym_archive_read_free(unpack->archive);
	free(unpack);
}

int unpack_more(struct unpack *unpack, const char **ret, size_t *ret_len, struct str *why)
{
	const void *block;
	la_int64_t offset;
	size_t len;
	int r;

	do
		r = sym_archive_read_data_block(unpack->archive, &block, &len, &offset);
	while (r == ARCHIVE_OK && len == 0);
	if (r == ARCHIVE_EOF)
		return 0;
	if (r != ARCHIVE_OK)
		return failed(unpack, why);
	*ret = block;
	*ret_len = len;
	return 1;
}

uint64_t unpack_taken(const struct unpack *unpack)
{
	return (uint64_t)sym_archive_filter_bytes(unpack->archive, -1);
}
