// SPDX-License-Identifier: GPL-2.0-or-later
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "cpio.h"
#include "image.h"

/* what was seen: "path mode size:content\n" for each, the content of files only */
struct seen {
	struct bytes text;
	unsigned n;
};

static bool see(void *arg, const struct image_entry *e)
{
	struct seen *seen = arg;
	char line[4300];
	const int len = snprintf(line, sizeof(line), "%s %o %llu:", e->path, e->mode,
				 (unsigned long long)e->size);

	bytes_add(&seen->text, line, (size_t)len);
	seen->n++;
	if (!S_ISREG(e->mode))
		bytes_add(&seen->text, "\n", 1);
	return S_ISREG(e->mode);
}

static void see_data(void *arg, const char *data, size_t len)
{
	bytes_add(&((struct seen *)arg)->text, data, len);
}

static void see_end(void *arg)
{
	bytes_add(&((struct seen *)arg)->text, "\n", 1);
}

/* As image_walk(); the text, NUL terminated, if `ret` is given. */
static int walk(const struct bytes *image, struct seen *ret, struct str *why)
{
	struct seen seen = { 0 };
	const struct image_visitor visitor = {
		.entry = see, .data = see_data, .end = see_end, .arg = &seen
	};
	const int fd = bytes_file(image);
	const int r = image_walk(fd, &visitor, why);

	close(fd);
	bytes_add(&seen.text, "", 1);
	if (ret)
		*ret = seen;
	else
		bytes_finish(&seen.text);
	return r;
}

static void assert_seen(const struct bytes *image, const char *text, const char *what)
{
	char said[256];
	struct str why = STR_ON(said);
	struct seen seen;
	const int r = walk(image, &seen, &why);

	assert_that(r == 0, "%s: %d: %s", what, r, said);
	assert_that(strcmp(seen.text.data, text) == 0, "%s: saw %s, not %s", what,
		    seen.text.data, text);
	bytes_finish(&seen.text);
}

static void assert_refused(const struct bytes *image, int error, const char *text)
{
	char said[256];
	struct str why = STR_ON(said);
	const int r = walk(image, NULL, &why);

	assert_that(r == error, "%d, not %d: %s", r, error, said);
	assert_contains(said, text);
}

/* An image of one archive with some variety. */
static const char usual_text[] = "bin 40755 0:\n"
				 "lib 120777 7:\n"
				 "etc/a 100644 5:hello\n"
				 "etc/empty 100600 0:\n";

static void usual(struct bytes *b)
{
	cpio_add(b, "./bin", S_IFDIR | 0755, NULL, 0);
	cpio_add(b, "/lib", S_IFLNK | 0777, "usr/lib", 7);
	cpio_text(b, "././/etc/a", "hello");
	cpio_add(b, "etc/empty", S_IFREG | 0600, NULL, 0);
	cpio_end(b);
}

/* Larger than every buffer, and not to be compressed to nothing. */
static void large(struct bytes *b)
{
	static char noise[300 * 1000];
	uint32_t v = 1;

	for (size_t i = 0; i < sizeof(noise); i++) {
		v = v * 1664525 + 1013904223;
		noise[i] = (char)(v >> 24);
	}
	cpio_add(b, "noise", S_IFREG | 0644, noise, sizeof(noise));
	usual(b);
}

static void test_every_packing(void **state __attribute__((unused)))
{
	for (enum packing p = 0; p < PACKINGS; p++) {
		struct bytes plain = { 0 }, image = { 0 };

		usual(&plain);
		bytes_pack(&image, p, &plain);
		assert_seen(&image, usual_text, packing_names[p]);
		bytes_finish(&plain);
		bytes_finish(&image);
	}
}

/* microcode and firmware come first, not compressed, and filled up with zeros */
static void test_early_parts(void **state __attribute__((unused)))
{
	for (enum packing p = 0; p < PACKINGS; p++) {
		struct bytes plain = { 0 }, image = { 0 };
		char text[512];

		cpio_text(&image, "kernel/x86/microcode/x.bin", "micro");
		cpio_end(&image);
		bytes_zeros(&image, 512);
		cpio_text(&image, "early", "2");
		cpio_end(&image);
		bytes_zeros(&image, 4);
		usual(&plain);
		bytes_pack(&image, p, &plain);
		snprintf(text, sizeof(text),
			 "kernel/x86/microcode/x.bin 100644 5:micro\n"
			 "early 100644 1:2\n%s",
			 usual_text);
		assert_seen(&image, text, packing_names[p]);
		bytes_finish(&plain);
		bytes_finish(&image);
	}
}

/*
 * somebody has appended an archive; where one begins, the kernel wants an aligned place
 */
static void test_later_parts(void **state __attribute__((unused)))
{
	static const enum packing ends[] = { PLAIN, GZIP, BZIP2, LZ4 };

	for (size_t i = 0; i < sizeof(ends) / sizeof(ends[0]); i++) {
		struct bytes plain = { 0 }, image = { 0 };
		char text[512];

		usual(&plain);
		bytes_pack(&image, ends[i], &plain);
		bytes_zeros(&image, 4 + (4 - (image.len & 3)) % 4);
		cpio_text(&image, "etc/a", "later");
		cpio_end(&image);
		snprintf(text, sizeof(text), "%setc/a 100644 5:later\n", usual_text);
		assert_seen(&image, text, packing_names[ends[i]]);
		bytes_finish(&plain);
		bytes_finish(&image);
	}
}

static void test_two_in_one(void **state __attribute__((unused)))
{
	struct bytes plain = { 0 }, image = { 0 };
	char text[512];

	usual(&plain);
	bytes_zeros(&plain, 16);
	usual(&plain);
	bytes_zeros(&plain, 3);
	bytes_pack(&image, ZSTD, &plain);
	snprintf(text, sizeof(text), "%s%s", usual_text, usual_text);
	assert_seen(&image, text, "two");
	bytes_finish(&plain);
	bytes_finish(&image);
}

/* cpio pads to 512 bytes, some do not pad at all */
static void test_ends(void **state __attribute__((unused)))
{
	struct bytes image = { 0 };

	usual(&image);
	image.len -= 3; /* the trailer's padding */
	assert_seen(&image, usual_text, "no padding");
	bytes_finish(&image);
	usual(&image);
	bytes_zeros(&image, 511);
	assert_seen(&image, usual_text, "padding");
	bytes_finish(&image);
}

static void test_cut_off(void **state __attribute__((unused)))
{
	for (enum packing p = 0; p < PACKINGS; p++) {
		struct bytes plain = { 0 }, image = { 0 };
		size_t full;

		large(&plain);
		/* padding may be missing */
		plain.len -= p == PLAIN ? 3 : 0;
		bytes_pack(&image, p, &plain);
		full = image.len;
		for (unsigned i = 0; i <= 50; i++) {
			char said[256];
			struct str why = STR_ON(said);
			int r;

			image.len = i == 50 ? full - 1 : full * i / 50;
			r = walk(&image, NULL, &why);
			assert_that(r == -EBADMSG && said[0],
				    "%s, %zu of %zu bytes: %d: %s", packing_names[p],
				    image.len, full, r, said);
		}
		bytes_finish(&plain);
		bytes_finish(&image);
	}
}

static void test_bad_headers(void **state __attribute__((unused)))
{
	static const struct {
		uint32_t size, name_size;
		const char *text;
	} cases[] = {
		{ 0, 0, "longer than any path" },
		{ 0, 4097, "longer than any path" },
		{ 0, 0xffffffff, "longer than any path" },
		{ 0, 4096, "cut off" },
		{ 0, 3, "does not end" }, /* in the midst of it */
		{ 0, 8, "does not end" }, /* behind it */
		{ 0xffffffff, 5, "cut off" },
		{ 0x7fffffff, 5, "cut off" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes image = { 0 };

		cpio_header(&image, S_IFREG | 0644, cases[i].size, cases[i].name_size);
		bytes_add(&image, "name\0\0\0\0", 8);
		cpio_end(&image);
		assert_refused(&image, -EBADMSG, cases[i].text);
		bytes_finish(&image);
	}
}

static void test_long_name(void **state __attribute__((unused)))
{
	struct bytes image = { 0 };
	char name[4096], text[4200];

	memset(name, 'n', 4095);
	name[4095] = '\0';
	cpio_text(&image, name, "x");
	cpio_end(&image);
	snprintf(text, sizeof(text), "%s 100644 1:x\n", name);
	assert_seen(&image, text, "a path of 4095 bytes");
	bytes_finish(&image);
}

static void test_no_image(void **state __attribute__((unused)))
{
	static const struct {
		const char *data;
		size_t len;
		int error;
		const char *text;
	} cases[] = {
		{ "", 0, -EBADMSG, "empty" },
		{ "\0\0\0\0\0", 5, -EBADMSG, "empty" },
		{ "#!/bin/sh\nexit 0\n", 17, -EBADMSG, "neither an archive" },
		{ "070707000001000002", 18, -EBADMSG, "cut off" },
		/* aligned archives only */
		{ "\0"
		  "070701",
		  7, -EBADMSG, "neither an archive" },
		{ "\x89LZO\0\r\n\x1a\n\x10\x40\x20\xa0", 13, -EOPNOTSUPP, "lzo" },
		{ "\x1f\x8b", 2, -EBADMSG, "no archive" },
		{ "\x1f\x8b\xff\xff and so on", 13, -EBADMSG, "no archive" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		struct bytes image = { 0 };

		bytes_add(&image, cases[i].data, cases[i].len);
		assert_refused(&image, cases[i].error, cases[i].text);
		bytes_finish(&image);
	}
}

static void test_other_archives(void **state __attribute__((unused)))
{
	struct bytes plain = { 0 }, once = { 0 }, twice = { 0 };

	/* of another kind: cpio -H odc, which the kernel refuses */
	usual(&plain);
	plain.data[5] = '7';
	assert_refused(&plain, -EBADMSG, "no cpio archive of the kind");
	plain.data[5] = '1';
	plain.data[8] = 'g';
	assert_refused(&plain, -EBADMSG, "no cpio archive of the kind");
	plain.data[8] = '0';
	bytes_pack(&once, GZIP, &plain);
	bytes_pack(&twice, GZIP, &once);
	assert_refused(&twice, -EBADMSG, "no archive");
	bytes_finish(&once);
	bytes_finish(&twice);
	/* and what is no archive, behind one */
	bytes_add(&plain, "junk", 4);
	bytes_pack(&once, ZSTD, &plain);
	assert_refused(&once, -EBADMSG, "no archive");
	assert_refused(&plain, -EBADMSG, "neither an archive");
	bytes_finish(&plain);
	bytes_finish(&once);
}

static void put16(uint8_t *at, unsigned v)
{
	at[0] = (uint8_t)v;
	at[1] = (uint8_t)(v >> 8);
}

/* An EFI program of one section, which lies at its end. */
static void add_efi(struct bytes *ret, const char *name, const struct bytes *section,
		    unsigned size)
{
	uint8_t head[64 + 24 + 40] = "MZ", *pe = head + 64, *entry = pe + 24;

	head[0x3c] = 64;
	memcpy(pe, "PE\0\0", 4);
	put16(pe + 6, 1);
	memcpy(entry, name, strlen(name));
	put16(entry + 8, size);
	put16(entry + 16, 512 * ((size + 511) / 512));
	put16(entry + 20, sizeof(head));
	bytes_add(ret, head, sizeof(head));
	bytes_add(ret, section->data, section->len);
}

/* Its section is the image: what lies behind it is not looked at. */
static void test_unified(void **state __attribute__((unused)))
{
	struct bytes image = { 0 }, efi = { 0 }, plain = { 0 };
	struct seen seen;
	char said[256];
	struct str why = STR_ON(said);

	cpio_text(&image, "early", "1");
	cpio_end(&image);
	cpio_text(&plain, "late", "22");
	cpio_end(&plain);
	bytes_pack(&image, ZSTD, &plain);
	add_efi(&efi, ".initrd", &image, (unsigned)image.len);
	bytes_add(&efi, "and what is no archive", 22);
	assert_int_equal(walk(&efi, &seen, &why), 0);
	assert_int_equal(seen.n, 2);
	assert_contains(seen.text.data, "early 100644 1:1");
	assert_contains(seen.text.data, "late 100644 2:22");
	bytes_finish(&seen.text);
	bytes_finish(&efi);
	/* cut off */
	add_efi(&efi, ".initrd", &image, (unsigned)image.len - 4);
	assert_refused(&efi, -EBADMSG, "");
	bytes_finish(&efi);
	add_efi(&efi, ".linux", &image, (unsigned)image.len);
	assert_refused(&efi, -EBADMSG, "without an initramfs");
	efi.len = 70;
	assert_refused(&efi, -EBADMSG, "no EFI program");
	bytes_finish(&efi);
	bytes_finish(&image);
	bytes_finish(&plain);
}

static void test_no_file(void **state __attribute__((unused)))
{
	const struct image_visitor visitor = { .entry = see };
	char said[256];
	struct str why = STR_ON(said);
	int fd = open("/dev/zero", O_RDONLY | O_CLOEXEC);

	assert_int_equal(image_walk(fd, &visitor, &why), -EINVAL);
	assert_contains(said, "regular");
	close(fd);
	fd = open(".", O_RDONLY | O_CLOEXEC);
	assert_int_equal(image_walk(fd, &visitor, &why), -EINVAL);
	close(fd);
	fd = memfd_create("large", MFD_CLOEXEC);
	assert_int_equal(ftruncate(fd, (off_t)(IMAGE_MAX_BYTES + 1)), 0);
	assert_int_equal(image_walk(fd, &visitor, &why), -EFBIG);
	assert_contains(said, "4 GiB");
	close(fd);
}

/* 130 KB that unpack to more than 4 GiB: RLE blocks of zstd, RFC 8878 */
static void test_bomb(void **state __attribute__((unused)))
{
	struct bytes image = { 0 }, head = { 0 };

	cpio_header(&head, S_IFDIR | 0755, 0xfffffff0, 5);
	bytes_add(&head, "bomb\0", 6);
	bytes_add(&image, "\x28\xb5\x2f\xfd\x00\x38", 6);
	bytes_add(&image,
		  (uint8_t[]){ (uint8_t)(head.len << 3), (uint8_t)(head.len >> 5), 0 },
		  3);
	bytes_add(&image, head.data, head.len);
	/* 128 KiB each */
	for (unsigned i = 0; i <= IMAGE_MAX_BYTES / (128 * 1024); i++)
		bytes_add(&image, "\x02\x00\x10z", 4);
	assert_refused(&image, -EFBIG, "4 GiB");
	bytes_finish(&head);
	bytes_finish(&image);
}

/* Whatever is flipped: an answer, in words if it is an error. */
static void test_flips(void **state __attribute__((unused)))
{
	struct bytes images[PACKINGS] = { 0 };
	unsigned errors = 0, rounds = 0;
	uint64_t v = 88172645463325252;
	const time_t end = time(NULL) + 3;

	for (enum packing p = 0; p < PACKINGS; p++) {
		struct bytes plain = { 0 };

		cpio_text(&images[p], "early", "1");
		cpio_end(&images[p]);
		usual(&plain);
		bytes_pack(&images[p], p, &plain);
		bytes_finish(&plain);
	}
	for (; time(NULL) < end || rounds < 1000; rounds++) {
		struct bytes *image = &images[rounds % PACKINGS];
		char said[256];
		struct str why = STR_ON(said);
		char *at;
		int r;

		v ^= v << 13;
		v ^= v >> 7;
		v ^= v << 17;
		at = &image->data[v % image->len];
		*at ^= (char)(1u << (v >> 32) % 8);
		r = walk(image, NULL, &why);
		assert_that(r == 0 || said[0], "%d without a word", r);
		errors += r < 0;
		/* sometimes it stays: two are worse than one */
		if (v >> 40 & 7)
			*at ^= (char)(1u << (v >> 32) % 8);
	}
	assert_true(errors > rounds / 10);
	for (enum packing p = 0; p < PACKINGS; p++)
		bytes_finish(&images[p]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_packing),
		cmocka_unit_test(test_early_parts),
		cmocka_unit_test(test_later_parts),
		cmocka_unit_test(test_two_in_one),
		cmocka_unit_test(test_ends),
		cmocka_unit_test(test_cut_off),
		cmocka_unit_test(test_bad_headers),
		cmocka_unit_test(test_long_name),
		cmocka_unit_test(test_no_image),
		cmocka_unit_test(test_other_archives),
		cmocka_unit_test(test_unified),
		cmocka_unit_test(test_no_file),
		cmocka_unit_test(test_bomb),
		cmocka_unit_test(test_flips),
	};

	return UNIT_RUN(tests);
}
