// SPDX-License-Identifier: GPL-2.0-or-later
#include "image.h"

#include <errno.h>
#include <limits.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pe.h"
#include "text.h"
#include "unpack.h"

#define BLOCK (128 * 1024)
/* bytes; Documentation/driver-api/early-userspace/buffer-format.rst */
#define HEADER 110

/* The file itself, or what a compressed part of it unpacks to. */
struct source {
	const char *at; /* bytes that are there */
	size_t left;
	uint64_t pos; /* of `at`: the alignment of archives counts from 0 */
	struct unpack *unpack; /* NULL: the file */
	int error;
};

struct image {
	const struct image_visitor *visitor;
	struct str *why;
	int fd;
	uint64_t base, size; /* of the part of the file that is the image */
	struct source file;
	uint64_t unpacked; /* bytes, of all parts so far */
	char block[BLOCK];
	char name[PATH_MAX + 1];
};

/* ---- messages */

static int damaged(struct image *im, const char *what)
{
	str_add(im->why, what);
	return -EBADMSG;
}

static int cut_off(struct image *im)
{
	return damaged(im, _("it is cut off"));
}

/* ---- bytes */

static ssize_t read_at(void *arg, char *buf, size_t size, uint64_t pos)
{
	const struct image *im = arg;
	const uint64_t left = pos < im->size ? im->size - pos : 0;
	ssize_t n;

	do
		n = pread(im->fd, buf, left < size ? left : size,
			  (off_t)(im->base + pos));
	while (n < 0 && errno == EINTR);
	return n < 0 ? -errno : n;
}

static int more_of_file(struct image *im, struct source *s)
{
	const ssize_t n = read_at(im, im->block, BLOCK, s->pos);

	if (n < 0) {
		str_join(im->why, _("it cannot be read: "), str_errno((int)n), NULL);
		return (int)n;
	}
	s->at = im->block;
	s->left = (size_t)n;
	return n > 0;
}

static int more_of_archive(struct image *im, struct source *s)
{
	const int r = unpack_more(s->unpack, &s->at, &s->left, im->why);

	if (r <= 0)
		return r;
	im->unpacked += s->left;
	if (im->unpacked > IMAGE_MAX_BYTES) {
		str_add(im->why, _("it unpacks to more than 4 GiB"));
		return -EFBIG;
	}
	return 1;
}

/* 1 if there is a byte at s->at, 0 at the end, or a negative errno. */
static int more(struct image *im, struct source *s)
{
	if (s->left > 0)
		return 1;
	return s->unpack ? more_of_archive(im, s) : more_of_file(im, s);
}

static size_t skip(struct source *s, uint64_t len)
{
	const size_t n = len < s->left ? (size_t)len : s->left;

	s->at += n;
	s->left -= n;
	s->pos += n;
	return n;
}

/* Exactly `len` bytes. */
static int take(struct image *im, struct source *s, char *buf, size_t len)
{
	while (len > 0) {
		const int r = more(im, s);
		const char *at = s->at;
		size_t n;

		if (r <= 0)
			return r < 0 ? r : cut_off(im);
		n = skip(s, len);
		memcpy(buf, at, n);
		buf += n;
		len -= n;
	}
	return 0;
}

static int skip_padding(struct image *im, struct source *s)
{
	char padding[4];

	return take(im, s, padding, (4 - (s->pos & 3)) & 3);
}

/* As more(), behind the zeros. */
static int skip_zeros(struct image *im, struct source *s)
{
	int r;

	while ((r = more(im, s)) > 0 && *s->at == '\0')
		skip(s, 1);
	return r;
}

/* ---- newc */

struct header {
	uint32_t mode, size, name_size;
};

static bool parse_hex(const char *text, uint32_t *ret)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 8; i++) {
		const char c = text[i];

		if (c >= '0' && c <= '9')
			v = v << 4 | (uint32_t)(c - '0');
		else if (c >= 'a' && c <= 'f')
			v = v << 4 | (uint32_t)(c - 'a' + 10);
		else if (c >= 'A' && c <= 'F')
			v = v << 4 | (uint32_t)(c - 'A' + 10);
		else
			return false;
	}
	*ret = v;
	return true;
}

static bool parse_header(const char *text, struct header *ret)
{
	uint32_t field[13];

	if (memcmp(text, "07070", 5) != 0 || (text[5] != '1' && text[5] != '2'))
		return false;
	for (unsigned i = 0; i < ARRAY_SIZE(field); i++)
		if (!parse_hex(text + 6 + 8 * i, &field[i]))
			return false;
	*ret = (struct header){ .mode = field[1],
				.size = field[6],
				.name_size = field[11] };
	return true;
}

static int take_header(struct image *im, struct source *s, struct header *ret)
{
	char text[HEADER];
	int r = take(im, s, text, sizeof(text));

	if (r < 0)
		return r;
	if (!parse_header(text, ret))
		return damaged(im,
			       _("an archive in it is no cpio archive of the kind that "
				 "the kernel reads"));
	if (ret->name_size == 0 || ret->name_size > PATH_MAX)
		return damaged(im, _("a name in it is longer than any path"));
	r = take(im, s, im->name, ret->name_size);
	if (r < 0)
		return r;
	if (memchr(im->name, '\0', ret->name_size) != im->name + ret->name_size - 1)
		return damaged(im, _("a name in it does not end where it should"));
	return 0;
}

static const char *plain_path(const char *path)
{
	for (;;) {
		if (*path == '/')
			path++;
		else if (path[0] == '.' && path[1] == '/')
			path += 2;
		else
			return path;
	}
}

static int take_data(struct image *im, struct source *s, uint64_t size, bool wanted)
{
	int r;

	while (size > 0) {
		const char *at;
		size_t n;

		r = more(im, s);
		if (r <= 0)
			return r < 0 ? r : cut_off(im);
		at = s->at;
		n = skip(s, size);
		if (wanted)
			im->visitor->data(im->visitor->arg, at, n);
		size -= n;
	}
	if (wanted)
		im->visitor->end(im->visitor->arg);
	return 0;
}

/* From its first header to behind its trailer. */
static int walk_archive(struct image *im, struct source *s)
{
	const struct image_visitor *v = im->visitor;
	struct header h = { 0 };
	bool last, wanted;
	int r;

	do {
		r = skip_padding(im, s);
		if (r == 0)
			r = take_header(im, s, &h);
		/* an empty entry at the file's end has no padding */
		if (r == 0 && h.size > 0)
			r = skip_padding(im, s);
		if (r < 0)
			return r;
		last = str_equal(im->name, "TRAILER!!!");
		wanted = !last && v->entry(v->arg, &(struct image_entry){
							   .path = plain_path(im->name),
							   .mode = h.mode,
							   .size = h.size,
						   });
		r = take_data(im, s, h.size, wanted);
	} while (r == 0 && !last);
	return r;
}

static bool archive_begins(const struct source *s)
{
	return *s->at == '0' && (s->pos & 3) == 0;
}

/* ---- compressed parts */

static int walk_unpacked(struct image *im, struct source *s)
{
	int r;

	while ((r = skip_zeros(im, s)) > 0) {
		if (!archive_begins(s))
			return damaged(im, _("what is compressed in it is no archive"));
		r = walk_archive(im, s);
		if (r < 0)
			return r;
	}
	return r;
}

static int walk_packed(struct image *im)
{
	struct source s = { .left = 0 };
	int r;

	r = unpack_open(read_at, im, im->file.pos, &s.unpack, im->why);
	if (r < 0)
		return r;
	r = walk_unpacked(im, &s);
	if (r == 0) {
		im->file.pos += unpack_taken(s.unpack);
		im->file.left = 0;
	}
	unpack_close(s.unpack);
	return r;
}

/* ---- all of it */

static int check_file(struct image *im)
{
	struct stat st;

	if (fstat(im->fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode)) {
		str_add(im->why, _("it is not a regular file"));
		return -EINVAL;
	}
	if ((uint64_t)st.st_size > IMAGE_MAX_BYTES) {
		str_add(im->why, _("it is larger than 4 GiB"));
		return -EFBIG;
	}
	im->size = (uint64_t)st.st_size;
	return 0;
}

/* In a unified kernel image it is a section. */
static int find_image(struct image *im)
{
	char magic[2] = "";
	struct pe_range range;
	int r;

	if (read_at(im, magic, sizeof(magic), 0) != sizeof(magic) ||
	    memcmp(magic, "MZ", sizeof(magic)) != 0)
		return 0;
	r = pe_find(im->fd, ".initrd", &range);
	if (r == -ENODATA)
		return damaged(im, _("it is an EFI program without an initramfs"));
	if (r < 0)
		return damaged(im, _("it is no EFI program that could be started"));
	im->base = range.offset;
	im->size = range.size;
	return 0;
}

static int walk(struct image *im)
{
	bool any = false;
	int r = check_file(im);

	if (r == 0)
		r = find_image(im);

	while (r == 0) {
		r = skip_zeros(im, &im->file);
		if (r <= 0)
			break;
		any = true;
		r = archive_begins(&im->file) ? walk_archive(im, &im->file)
					      : walk_packed(im);
	}
	return r == 0 && !any ? damaged(im, _("it is empty")) : r;
}

int image_walk(int fd, const struct image_visitor *visitor, struct str *why)
{
	struct image *im = calloc(1, sizeof(*im));
	int r;

	if (!im)
		return -ENOMEM;
	im->fd = fd;
	im->visitor = visitor;
	im->why = why;
	r = walk(im);
	free(im);
	return r;
}
