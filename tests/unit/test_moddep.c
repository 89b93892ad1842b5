/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The index of modules, as depmod writes it and damaged. */
#include "unit.h"

#include <stdio.h>

#include "moddep.h"

#define LINE "kernel/vfio-pci.ko: kernel/core.ko /elsewhere/vfio.ko"

struct index {
	uint8_t bytes[256];
	size_t len;
};

static void put(struct index *x, uint32_t v)
{
	for (int shift = 24; shift >= 0; shift -= 8)
		x->bytes[x->len++] = (uint8_t)(v >> shift);
}

static void put_text(struct index *x, const char *text)
{
	memcpy(x->bytes + x->len, text, strlen(text) + 1);
	x->len += strlen(text) + 1;
}

/* A leaf with a prefix and one value. Returns its offset. */
static uint32_t put_leaf(struct index *x, const char *prefix, const char *value)
{
	const uint32_t at = (uint32_t)x->len;

	put_text(x, prefix);
	put(x, 1);
	put(x, 0);
	put_text(x, value);
	return 0xc0000000 | at;
}

/* vfio_pci and vhost: below the root v, and below that f and h. */
static struct index build(uint32_t magic, uint32_t version)
{
	struct index x = { .len = 0 };
	uint32_t pci, vhost, below;

	put(&x, magic);
	put(&x, version);
	put(&x, 0);
	pci = put_leaf(&x, "io_pci", LINE);
	vhost = put_leaf(&x, "ost", "vhost.ko:");
	below = (uint32_t)x.len;
	memcpy(x.bytes + x.len, "fh", 2);
	x.len += 2;
	put(&x, pci);
	put(&x, 0);
	put(&x, vhost);
	x.bytes[8] = 0x20;
	x.bytes[11] = (uint8_t)x.len;
	memcpy(x.bytes + x.len, "vv", 2);
	x.len += 2;
	put(&x, 0x20000000 | below);
	return x;
}

/* A copy of exactly that many bytes: what is read behind them is found. */
static int find_in(const struct index *x, size_t len, const char *name, char *ret)
{
	void *copy = malloc(len ? len : 1);
	const char *line;
	int r;

	memcpy(copy, x->bytes, len);
	r = moddep_find(copy, len, name, &line);
	if (r == 0)
		snprintf(ret, 256, "%s", line);
	free(copy);
	return r;
}

static void expect(const char *name, int expected, const char *line)
{
	const struct index x = build(0xb007f457, 0x00020001);
	char found[256];
	int r = find_in(&x, x.len, name, found);

	assert_that(r == expected, "%s: %d, not %d", name, r, expected);
	if (r == 0)
		assert_string_equal(found, line);
}

static void modules_are_found(void **state)
{
	(void)state;
	expect("vfio_pci", 0, LINE);
	expect("vhost", 0, "vhost.ko:");
	expect("vfio", -ENOENT, NULL);
	expect("vfio_pci_core", -ENOENT, NULL);
	expect("v", -ENOENT, NULL);
	expect("vgem", -ENOENT, NULL);
	expect("vz", -ENOENT, NULL);
	expect("a", -ENOENT, NULL);
	expect("", -ENOENT, NULL);
}

static void other_indices_are_not_read(void **state)
{
	struct index x;
	char line[256];

	(void)state;
	x = build(0xb007fa57, 0x00020001);
	assert_int_equal(find_in(&x, x.len, "vhost", line), -EPROTO);
	x = build(0xb007f457, 0x00030000);
	assert_int_equal(find_in(&x, x.len, "vhost", line), -EPROTO);
	x = build(0xb007f457, 0x00020007);
	assert_int_equal(find_in(&x, x.len, "vhost", line), 0);
}

/* Cut off anywhere, and with each byte as each other. */
static void damage_is_survived(void **state)
{
	const struct index whole = build(0xb007f457, 0x00020001);
	char line[256];

	(void)state;
	for (size_t len = 0; len < whole.len; len++)
		assert_true(find_in(&whole, len, "vfio_pci", line) < 0);
	for (size_t i = 0; i < whole.len; i++)
		for (unsigned v = 0; v < 256; v++) {
			struct index x = whole;

			x.bytes[i] = (uint8_t)v;
			(void)!find_in(&x, x.len, "vfio_pci", line);
			(void)!find_in(&x, x.len, "vhost", line);
		}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(modules_are_found),
		cmocka_unit_test(other_indices_are_not_read),
		cmocka_unit_test(damage_is_survived),
	};

	return UNIT_RUN(tests);
}
