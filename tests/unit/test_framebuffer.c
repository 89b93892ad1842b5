/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "framebuffer.h"
#include "scene.h"

static void who_needs_it(void **state)
{
	static const struct {
		uint32_t class;
		const char *release;
		bool needs;
	} cases[] = {
		{ 0x030000, "6.1.0-56-amd64", false },
		{ 0x030000, "10.0", false },
		{ 0x030000, "5.19.17", true },
		{ 0x030000, "", true },
		{ 0x030000, "weird", true },
		{ 0x030000, "06.1", true },
		{ 0x030200, "6.12.0", true },
		{ 0x038000, "6.12.0", true },
		{ 0x030001, "6.1", false },
		{ 0x040300, "5.10", false },
		{ 0x0c0330, "5.10", false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct pci_ids ids = { .class = cases[i].class };

		assert_that(framebuffer_needs_release(&ids, cases[i].release) ==
				    cases[i].needs,
			    "%06x on '%s'", cases[i].class, cases[i].release);
	}
}

static const struct fake_framebuffer efi = { "efi-framebuffer", "efi-framebuffer.0",
					     true };

static void expect(const char *iomem, const struct fake_framebuffer *there,
		   const char *device)
{
	struct scene *s = scene_new(scene_desktop);
	struct framebuffer fb;

	s->fake.iomem = iomem;
	s->fake.framebuffer = *there;
	assert_int_equal(
		framebuffer_find(&s->fake.fs, fake_at(&s->fake, GPU)->address, &fb), 0);
	assert_that(str_equal(fb.device, device), "found '%s', not '%s', in\n%s",
		    fb.device, device, iomem ? iomem : "-");
	assert_int_equal(!fb.driver[0], !fb.device[0]);
	scene_free(s);
}

static void found_by_nesting(void **state)
{
	static const struct fake_framebuffer simple = { "simple-framebuffer",
							"simple-framebuffer.0", true };
	static const struct fake_framebuffer gone = { "efi-framebuffer",
						      "efi-framebuffer.0", false };

	(void)state;
	expect(NULL, &efi, "");
	expect("", &efi, "");
	expect("c0000000-cfffffff : 0000:01:00.0\n  c0000000-c07e8fff : BOOTFB\n", &efi,
	       "efi-framebuffer.0");
	expect("c0000000-cfffffff : 0000:01:00.0\n  c0000000-c07e8fff : BOOTFB", &simple,
	       "simple-framebuffer.0");
	expect("a-b : PCI Bus 0000:00\n  c-d : PCI Bus 0000:01\n    e-f : 0000:01:00.0\n"
	       "      1-2 : efifb\n",
	       &efi, "efi-framebuffer.0");
	/* deeper still */
	expect("e-f : 0000:01:00.0\n  1-2 : something\n    1-2 : simpledrm\n", &efi,
	       "efi-framebuffer.0");
	/* after another of its regions */
	expect("e-f : 0000:01:00.0\n1-2 : 0000:01:00.0\n  1-2 : BOOTFB\n", &efi,
	       "efi-framebuffer.0");
	expect("e-f : 0000:01:00.0\n  1-2 : BOOTFB\n", &gone, "");
}

static void not_this_functions(void **state)
{
	(void)state;
	expect("c0000000-cfffffff : 0000:00:02.0\n  c0000000-c07e8fff : BOOTFB\n", &efi,
	       "");
	expect("e-f : 0000:01:00.0\n1-2 : BOOTFB\n", &efi, "");
	expect("e-f : 0000:01:00.0\ng-h : 0000:00:02.0\n  1-2 : BOOTFB\n", &efi, "");
	expect("  e-f : 0000:01:00.0\n  g-h : 0000:01:00.1\n    1-2 : BOOTFB\n", &efi,
	       "");
	expect("    e-f : 0000:01:00.0\n  1-2 : BOOTFB\n", &efi, "");
	expect("e-f : 0000:01:00.0\n  1-2 : nouveau\n", &efi, "");
	expect("e-f : 0000:01:00.0x\n  1-2 : BOOTFB\n", &efi, "");
	expect("BOOTFB\n : \n:\n\n   \n", &efi, "");
}

static void errors_are_told(void **state)
{
	static const int errors[] = { EIO, EACCES, EPERM };
	struct scene *s = scene_new(scene_desktop);
	struct framebuffer fb;

	(void)state;
	s->fake.iomem = "";
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		memset(s->fake.faults, 0, sizeof(s->fake.faults));
		fake_fail(&s->fake, "proc/iomem", errors[i], 0);
		assert_int_equal(framebuffer_find(&s->fake.fs,
						  fake_at(&s->fake, GPU)->address, &fb),
				 -errors[i]);
		assert_int_equal(fb.device[0], '\0');
	}
	scene_free(s);
}

static void released_and_restored(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct framebuffer fb;

	(void)state;
	s->fake.iomem = "e-f : 0000:01:00.0\n  1-2 : BOOTFB\n";
	s->fake.framebuffer = efi;
	assert_int_equal(
		framebuffer_find(&s->fake.fs, fake_at(&s->fake, GPU)->address, &fb), 0);
	assert_true(framebuffer_present(&s->fake.fs, &fb));
	assert_int_equal(framebuffer_release(&s->fake.fs, &fb), 0);
	assert_false(s->fake.framebuffer.bound);
	assert_false(framebuffer_present(&s->fake.fs, &fb));
	assert_int_equal(framebuffer_release(&s->fake.fs, &fb), -ENODEV);
	assert_int_equal(framebuffer_restore(&s->fake.fs, &fb), 0);
	assert_true(s->fake.framebuffer.bound);
	assert_true(framebuffer_present(&s->fake.fs, &fb));
	/* none is never there, whatever else the bus has */
	assert_false(
		framebuffer_present(&s->fake.fs, &(struct framebuffer){ .driver = "" }));
	fake_fail(&s->fake, "efi-framebuffer.0", EIO, 0);
	assert_false(framebuffer_present(&s->fake.fs, &fb));
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(who_needs_it),
		cmocka_unit_test(found_by_nesting),
		cmocka_unit_test(not_this_functions),
		cmocka_unit_test(errors_are_told),
		cmocka_unit_test(released_and_restored),
	};

	return UNIT_RUN(tests);
}
