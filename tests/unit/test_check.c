/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The check of images, on a tree. */
#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpio.h"
#include "images.h"

static void assert_check(int error, bool wanted, const char *text)
{
	char why[2048];
	struct str s = STR_ON(why);
	const int r = initramfs_check(&images_fs, images_generator, REL, wanted, &s);

	assert_that(r == error, "%d, not %d: %s", r, error, why);
	if (text)
		assert_contains(why, text);
	else
		assert_string_equal(why, "");
	if (r == -ESTALE && text)
		assert_that(strstr(why, "; type: update-initramfs -u -k " REL) ||
				    strstr(why, "-c -k") || strstr(why, "install") ||
				    strstr(why, "boot another"),
			    "no mend: %s", why);
}

static void test_good(void **state __attribute__((unused)))
{
	put_image(NULL);
	assert_check(0, true, NULL);
}

static void test_lacking(void **state __attribute__((unused)))
{
	for (size_t i = 0; i < IMAGES_GOOD; i++) {
		const struct file but = { images_good[i].path, NULL, 0 };
		const char *name = strrchr(but.path, '/') + 1;
		char word[64];

		/* a module is named as modprobe does */
		snprintf(word, sizeof(word), "%.*s", (int)strcspn(name, "."), name);
		if (strstr(but.path, ".ko"))
			for (char *c = word; (c = strchr(c, '-'));)
				*c = '_';
		put_image(&but);
		assert_check(-ESTALE, true, word);
	}
}

static void test_other_content(void **state __attribute__((unused)))
{
	static const struct {
		struct file but;
		const char *text;
	} cases[] = {
		{ { BINARY, "a Binary", 0755 }, BINARY " in it is not" },
		{ { BINARY, "a binary ", 0755 }, BINARY " in it is not" },
		{ { BINARY, "", 0755 }, BINARY " in it is not" },
		{ { BINARY, "a binary", 0644 }, "cannot be run" },
		{ { CONF, "a configuratioN", 0644 }, CONF " in it is not" },
		{ { CONF, "a configuration\n", 0644 }, CONF " in it is not" },
		{ { "scripts/init-top/00-vfio-claim", "", 0644 }, "init-top/00-vfio" },
		{ { "scripts/init-top/ORDER",
		    "/scripts/init-top/udev\n/scripts/init-top/00-vfio-claim\n", 0644 },
		  "too late: after udev" },
		{ { "scripts/init-top/ORDER", "/scripts/init-top/udev \"$@\"\n", 0644 },
		  "init-top/ORDER does not call" },
		{ { "scripts/local-top/ORDER",
		    "/scripts/local-top/cryptroot\n/scripts/local-top/00-vfio-claim\n",
		    0644 },
		  "too late: after cryptroot" },
		{ { "scripts/local-top/ORDER",
		    "/scripts/local-top/00-vfio-claim.old \"$@\"\n", 0644 },
		  "local-top/ORDER does not call" },
	};

	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		put_image(&cases[i].but);
		assert_check(-ESTALE, true, cases[i].text);
	}
}

/* all that is wrong is named */
static void test_much_lacking(void **state __attribute__((unused)))
{
	struct bytes image = { 0 };

	cpio_text(&image, "etc/fstab", "");
	cpio_end(&image);
	put_bytes(IMAGE, image.data, image.len, 0644);
	bytes_finish(&image);
	assert_check(-ESTALE, true, BINARY " is not in it, " CONF " is not in it");
	assert_check(-ESTALE, true, "vfio_pci");
	assert_check(-ESTALE, true, "it lacks the kernel's vfio_pci, vfio_pci_core, ");
	assert_check(-ESTALE, true,
		     "scripts/init-bottom/00-vfio-claim is not in it; type");
	unlink(full(HOOK));
	assert_check(-ESTALE, true, HOOK " is missing: install vfio-claim again; type");
	assert_check(0, false, NULL);
}

/* the same path again: the later one is what boots */
static void test_replaced(void **state __attribute__((unused)))
{
	struct bytes image = { 0 };

	for (size_t i = 0; i < IMAGES_GOOD; i++)
		cpio_add(&image, images_good[i].path, S_IFREG | images_good[i].mode,
			 images_good[i].text, strlen(images_good[i].text));
	cpio_text(&image, CONF, "another one....");
	cpio_end(&image);
	put_bytes(IMAGE, image.data, image.len, 0644);
	assert_check(-ESTALE, true, CONF " in it is not");
	cpio_text(&image, CONF, "a configuration");
	cpio_end(&image);
	put_bytes(IMAGE, image.data, image.len, 0644);
	assert_check(0, true, NULL);
	cpio_add(&image, BINARY, S_IFLNK | 0777, "a binary", 8);
	cpio_end(&image);
	put_bytes(IMAGE, image.data, image.len, 0644);
	assert_check(-ESTALE, true, BINARY " in it is not");
	bytes_finish(&image);
}

static void test_built_in(void **state __attribute__((unused)))
{
	struct file but = { MODULES VFIO "pci/vfio-pci.ko", NULL, 0 };

	put(MODULES "modules.dep", VFIO "vfio_iommu_type1.ko:\n");
	put_image(&but);
	assert_check(-ESTALE, true, "kernel " REL " has no module vfio_pci");
	put(MODULES "modules.builtin", VFIO "vfio.ko\n" VFIO "pci/vfio-pci.ko\n");
	assert_check(0, true, NULL);
	but.path = MODULES VFIO "vfio_iommu_type1.ko";
	put_image(&but);
	assert_check(-ESTALE, true, "vfio_iommu_type1");
	put(MODULES "modules.builtin",
	    VFIO "pci/vfio-pci.ko\n" VFIO "vfio_iommu_type1.ko\n");
	put(MODULES "modules.dep", "");
	assert_check(0, true, NULL);
}

static void test_not_wanted(void **state __attribute__((unused)))
{
	struct bytes image = { 0 };

	put_image(NULL);
	assert_check(-ESTALE, false, "/vfio-claim-early is still in it");
	unlink(full(CONF));
	unlink(full(BINARY));
	assert_check(-ESTALE, false, "still in it");
	/* modules are everybody's */
	cpio_text(&image, MODULES VFIO "pci/vfio-pci.ko", "");
	cpio_end(&image);
	put_bytes(IMAGE, image.data, image.len, 0644);
	bytes_finish(&image);
	assert_check(0, false, NULL);
}

static void test_what_is_missing_outside(void **state __attribute__((unused)))
{
	put_image(NULL);
	unlink(full(BINARY));
	assert_check(-ESTALE, true, "install vfio-claim again");
	put(BINARY, "a binary");
	unlink(full(CONF));
	assert_check(-ENOENT, true, "/" CONF);
	put(CONF, "a configuration");
	unlink(full(MODULES "modules.dep"));
	assert_check(-ENODATA, true, "modules.dep");
}

static void test_no_image(void **state __attribute__((unused)))
{
	unlink(full(IMAGE));
	assert_check(-ESTALE, true,
		     "there is no /" IMAGE "; type: update-initramfs -c -k");
	assert_check(0, false, NULL);
	/* left over from a kernel that is gone */
	unlink(full("boot/vmlinuz-" REL));
	assert_check(0, true, NULL);
	put(IMAGE, "");
	assert_check(-EBADMSG, true, "it is empty; type: update-initramfs -u -k " REL);
	put(IMAGE, "#!/bin/sh\n");
	assert_check(-EBADMSG, true, "/" IMAGE ": ");
	put(IMAGE, "\x89LZO");
	assert_check(-EBADMSG, true, "/" IMAGE ": ");
	put_bytes(IMAGE, "\x89LZO\0\r\n\x1a\n", 9, 0644);
	assert_check(-EOPNOTSUPP, true, "set COMPRESS=zstd");
	unlink(full(IMAGE));
	assert_int_equal(mkfifo(full(IMAGE), 0644), 0);
	assert_check(-EINVAL, true, "regular");
}

/* links stay inside a captured tree */
static void test_links(void **state __attribute__((unused)))
{
	put_image(NULL);
	put("etc/other", "a configuration");
	unlink(full(CONF));
	assert_int_equal(symlink("/etc/other", full(CONF)), 0);
	assert_check(0, true, NULL);
	unlink(full(CONF));
	assert_int_equal(symlink("../../../../../../../../etc/passwd", full(CONF)), 0);
	assert_check(-ENOENT, true, "/" CONF);
	unlink(full(CONF));
	assert_int_equal(symlink("vfio-claim.conf", full(CONF)), 0);
	assert_check(-ELOOP, true, "/" CONF);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_TREE(test_good),	       ON_A_TREE(test_lacking),
		ON_A_TREE(test_other_content), ON_A_TREE(test_much_lacking),
		ON_A_TREE(test_replaced),      ON_A_TREE(test_built_in),
		ON_A_TREE(test_not_wanted),    ON_A_TREE(test_what_is_missing_outside),
		ON_A_TREE(test_no_image),      ON_A_TREE(test_links),
	};

	return UNIT_RUN(tests);
}
