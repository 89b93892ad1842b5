/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Whose memory holds the firmware's framebuffer. */
#include "unit.h"

#include <stdio.h>

#include "displays.h"

static struct displays parse(const char *text)
{
	struct displays d = { 0 };
	char *copy = strdup(text);

	displays_parse_iomem(&d, copy);
	free(copy);
	return d;
}

static void inside(void **state)
{
	const struct displays d = parse("c0000000-dfffffff : PCI Bus 0000:00\n"
					"  c0000000-c0ffffff : 0000:01:00.0\n"
					"    c0000000-c02fffff : BOOTFB\n"
					"  c1000000-c1ffffff : 0000:02:00.0\n");

	(void)state;
	assert_int_equal(d.n_framebuffers, 1);
	assert_true(displays_framebuffer(&d, (struct pci_address){ 0, 1, 0 }));
}

static void outside(void **state)
{
	(void)state;
	assert_int_equal(parse("  c0000000-c0ffffff : 0000:01:00.0\n"
			       "  c1000000-c12fffff : BOOTFB\n")
				 .n_framebuffers,
			 0);
	assert_int_equal(parse("    c0000000-c0ffffff : 0000:01:00.0\n"
			       "  c0000000-c02fffff : efifb\n"
			       "    c0000000-c02fffff : efifb\n")
				 .n_framebuffers,
			 0);
	assert_int_equal(parse("").n_framebuffers, 0);
	assert_int_equal(parse(" : efifb\n : \n\n0000:01:00.0\nefifb").n_framebuffers, 0);
}

/* More levels, and more framebuffers, than there is room for. */
static void hostile(void **state)
{
	char *text = NULL;
	size_t len;
	FILE *out = open_memstream(&text, &len);
	struct displays d;

	(void)state;
	for (int i = 0; i < 100; i++)
		fprintf(out, "%*s0-1 : 0000:%02x:00.0\n", i, "", i);
	fprintf(out, "%*s0-1 : efifb\n", 100, "");
	fclose(out);
	d = parse(text);
	assert_int_equal(d.n_framebuffers, ARRAY_SIZE(d.framebuffers));
	free(text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(inside),
		cmocka_unit_test(outside),
		cmocka_unit_test(hostile),
	};

	return UNIT_RUN(tests);
}
