/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What can be tested without loading a module into this kernel. */
#include "unit.h"

#include <stdio.h>

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

static void expect_name(const char *file, const char *expected)
{
	char name[16];

	name_of(file, strlen(file), name, sizeof(name));
	assert_string_equal(name, expected);
}

static void files_have_names(void **state)
{
	(void)state;
	expect_name("kernel/drivers/vfio/pci/vfio-pci.ko", "vfio_pci");
	expect_name("/somewhere/vfio-pci.ko.xz", "vfio_pci");
	expect_name("vfio", "vfio");
	expect_name("x/.ko", "");
	expect_name("a-name-of-more-bytes", "a_name_of_more_");
}

/* What comes last in modules.dep is needed by what comes before it. */
static void dependencies_are_read_from_the_end(void **state)
{
	static const char line[] = "a/core.ko  b/irq.ko vfio.ko ";
	const char *end = line + strlen(line), *word;
	size_t len;

	(void)state;
	word = word_before(line, &end, &len);
	assert_true(len == 7 && !strncmp(word, "vfio.ko", len));
	word = word_before(line, &end, &len);
	assert_true(len == 8 && !strncmp(word, "b/irq.ko", len));
	word = word_before(line, &end, &len);
	assert_true(len == 9 && !strncmp(word, "a/core.ko", len));
	assert_null(word_before(line, &end, &len));
	end = line;
	assert_null(word_before(line, &end, &len));
}

static void files_of_modprobe_d_are_chosen(void **state)
{
	static struct settings files;
	char name[80], text[128];

	(void)state;
	files.folder = "etc/modprobe.d";
	assert_int_equal(add_file(&files, "vfio.conf"), 0);
	assert_int_equal(add_file(&files, ".hidden.conf"), 0);
	assert_int_equal(add_file(&files, "vfio.conf.dpkg-old"), 0);
	assert_int_equal(add_file(&files, "conf"), 0);
	assert_int_equal(add_file(&files, "other.alias"), 0);
	assert_int_equal(files.n, 2);
	assert_string_equal(files.paths[0], "/etc/modprobe.d/vfio.conf");
	assert_string_equal(files.paths[1], "/etc/modprobe.d/other.alias");
	assert_null(files.paths[2]);
	/* too many are libkmod's to list */
	for (unsigned i = 2; i < ARRAY_SIZE(files.paths) - 1; i++) {
		snprintf(name, sizeof(name), "%u.conf", i);
		assert_int_equal(add_file(&files, name), 0);
	}
	assert_int_equal(add_file(&files, "last.conf"), -EFBIG);
	assert_null(files.paths[files.n]);
	files = (struct settings){ .folder = "etc/modprobe.d" };
	memset(name, 'x', sizeof(name));
	strcpy(name + sizeof(name) - 6, ".conf");
	while (add_file(&files, name) == 0)
		;
	snprintf(text, sizeof(text), "/etc/modprobe.d/%s", name);
	for (unsigned i = 0; i < files.n; i++)
		assert_string_equal(files.paths[i], text);
}

static void a_kernel_without_modules(void **state)
{
	struct fs fs;

	(void)state;
	assert_int_equal(fs_init(&fs, "/"), 0);
	assert_true(load_by_kmod(&fs, "0.0.0-no-such-kernel", "vfio-claim-no-such-module",
				 NULL) < 0);
	fs_finish(&fs);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(options_are_kept),
		cmocka_unit_test(others_devices_are_not_taken),
		cmocka_unit_test(no_iommu_mode_is_never_asked_for),
		cmocka_unit_test(too_many_are_none),
		cmocka_unit_test(what_a_claim_says_comes_last),
		cmocka_unit_test(files_have_names),
		cmocka_unit_test(dependencies_are_read_from_the_end),
		cmocka_unit_test(files_of_modprobe_d_are_chosen),
		cmocka_unit_test(captured_machines_get_no_module),
		cmocka_unit_test(a_kernel_without_modules),
	};

	return UNIT_RUN(tests);
}
