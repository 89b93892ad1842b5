/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be tested without loading a module into this kernel. */
#include "unit.h"

/* its functions are static */
#include "../../early/module.c"

static void expect_sized(const char *options, const char *expected, size_t size)
{
	char buf[512], *text = buf;

	clean_options(options, NULL, buf, size);
	while (*text == ' ')
		text++;
	assert_that(str_equal(text, expected), "'%s' becomes '%s', not '%s'",
		    options ? options : "-", text, expected);
}

static void expect(const char *options, const char *expected)
{
	expect_sized(options, expected, 512);
}

static void options_are_kept(void **state)
{
	(void)state;
	expect(NULL, "");
	expect("", "");
	expect("disable_vga=1", "disable_vga=1");
	expect("disable_vga=1 disable_idle_d3=1", "disable_vga=1 disable_idle_d3=1");
	expect("nointxmask", "nointxmask");
	expect("a=\"b c\" d", "a=\"b c\" d");
	expect("noids=1", "noids=1");
	expect("idsx=1", "idsx=1");
	expect("a=\"x ids=10de:2484\"", "a=\"x ids=10de:2484\"");
}

static void others_devices_are_not_taken(void **state)
{
	(void)state;
	expect("ids=10de:2484", "");
	expect("ids=10de:2484,10de:228b disable_vga=1", "disable_vga=1");
	expect("disable_vga=1 ids=10de:2484", "disable_vga=1");
	expect("a ids=1 b ids=2 c", "a b c");
	expect("\"ids=10de:2484\" a", "a");
	expect("ids=\"10de:2484 x\" a", "a");
	expect("i\"ds=10de:2484\" a", "a");
}

static void no_iommu_mode_is_never_asked_for(void **state)
{
	(void)state;
	expect("enable_unsafe_noiommu_mode=1", "");
	expect("enable_unsafe_noiommu_mode", "");
	expect("a enable_unsafe_noiommu_mode=Y b", "a b");
	/* to the kernel, - is _ in the name of a parameter: parameq() */
	expect("enable-unsafe-noiommu-mode=1 b", "b");
	expect("enable_unsafe-noiommu_mode=1 b", "b");
}

/* Half an option could mean anything. */
static void too_many_are_none(void **state)
{
	char options[600];

	(void)state;
	expect_sized("abcdefgh ijkl", "", 10);
	expect_sized("abcdefgh", "abcdefgh", 10);
	memset(options, 'x', sizeof(options) - 1);
	options[sizeof(options) - 1] = '\0';
	expect(options, "");
	memcpy(options, "ids=", 4);
	expect(options, "");
}

/* The kernel takes the last of two. */
static void what_a_claim_says_comes_last(void **state)
{
	const char *const more[] = { "disable_vga=1", "disable_idle_d3=0", NULL };
	char text[64], small[32];

	(void)state;
	clean_options("disable_vga=0 ids=10de:2484", more, text, sizeof(text));
	assert_string_equal(text, "disable_vga=0 disable_vga=1 disable_idle_d3=0");
	clean_options(NULL, more, text, sizeof(text));
	assert_string_equal(text, " disable_vga=1 disable_idle_d3=0");
	clean_options("nointxmask=1", more, small, sizeof(small));
	assert_string_equal(small, "");
}

static void captured_machines_get_no_module(void **state)
{
	struct fs fs = { .captured = true };
	struct module_loader loader = module_loader_kmod(&fs, "6.1.0-none");

	(void)state;
	assert_int_equal(loader.load(&loader, "vfio-pci"), -EPERM);
}

static void a_kernel_without_modules(void **state)
{
	(void)state;
	assert_true(load_by_kmod("0.0.0-no-such-kernel", "vfio-claim-no-such-module",
				 NULL) < 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_kept),
		cmocka_unit_test(others_devices_are_not_taken),
		cmocka_unit_test(no_iommu_mode_is_never_asked_for),
		cmocka_unit_test(too_many_are_none),
		cmocka_unit_test(what_a_claim_says_comes_last),
		cmocka_unit_test(captured_machines_get_no_module),
		cmocka_unit_test(a_kernel_without_modules),
	};

	return UNIT_RUN(tests);
}
