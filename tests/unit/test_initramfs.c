/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Kernels, and which generator builds their images with what, on a tree. */
#include <stdio.h>
#include <unistd.h>

#include "images.h"

static void test_kernels(void **state __attribute__((unused)))
{
	static const char *const wanted[] = { "6.12.3+deb13-amd64", "6.1.0-10-amd64", REL,
					      "5.10.0-8-amd64" };
	struct initramfs_kernels kernels;

	put("usr/lib/modules/5.10.0-8-amd64/modules.dep", "");
	put("usr/lib/modules/6.12.3+deb13-amd64/modules.dep", "");
	put("usr/lib/modules/6.1.0-10-amd64/modules.dep", "");
	put("usr/lib/modules/6.1.0-11-amd64/other", "");
	put("usr/lib/modules/;reboot/modules.dep", "");
	put("usr/lib/modules/-k/modules.dep", "");
	assert_int_equal(initramfs_kernels(&images_fs, &kernels), 0);
	assert_int_equal(kernels.n, 4);
	for (size_t i = 0; i < kernels.n; i++)
		assert_string_equal(kernels.release[i], wanted[i]);
}

static void test_find(void **state __attribute__((unused)))
{
	char text[512], said[512];
	struct str evidence = STR_ON(text), why = STR_ON(said);
	const struct initramfs *found;
	struct changes changes = { 0 };

	put("usr/bin/booster", "");
	assert_null(initramfs_find(&images_fs, &evidence, &why));
	assert_contains(said, "initramfs-tools, booster");
	put("etc/kernel/postinst.d/booster", "");
	evidence = STR_ON(text);
	why = STR_ON(said);
	found = initramfs_find(&images_fs, &evidence, &why);
	assert_non_null(found);
	assert_string_equal(found->name, "booster");
	assert_contains(text, "/usr/bin/booster");
	assert_contains(text, "postinst.d/booster");
	assert_int_equal(found->plan(&images_fs, &changes, &why), -EOPNOTSUPP);
	assert_contains(said, "booster");
	assert_contains(said, "initramfs-tools");
	assert_int_equal(changes.n_steps, 0);
	assert_int_equal(initramfs_check(&images_fs, found, REL, true, &why),
			 -EOPNOTSUPP);
	unlink(full("usr/bin/booster"));
	unlink(full("usr/sbin/mkinitramfs"));
	why = STR_ON(said);
	assert_null(initramfs_find(&images_fs, &evidence, &why));
	assert_contains(said, "install initramfs-tools");
}

static void test_plan(void **state __attribute__((unused)))
{
	struct changes changes = { 0 };
	char said[256];
	struct str why = STR_ON(said);

	put_image(NULL);
	put("usr/lib/modules/6.1.0-10-amd64/modules.dep", "");
	put("usr/lib/modules/6.1.0-8-amd64/modules.dep", "");
	put("boot/vmlinuz-6.1.0-10-amd64", "");
	assert_int_equal(images_generator->plan(&images_fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 2);
	assert_step(&changes.steps[0], "update-initramfs -c -k 6.1.0-10-amd64");
	assert_step(&changes.steps[1], "update-initramfs -u -k all");
	changes_finish(&changes);
	changes = (struct changes){ 0 };
	put("etc/initramfs-tools/update-initramfs.conf", "update_initramfs=yes\n");
	assert_int_equal(images_generator->plan(&images_fs, &changes, &why), 0);
	changes_finish(&changes);
	changes = (struct changes){ 0 };
	put("etc/initramfs-tools/update-initramfs.conf",
	    "# update_initramfs=yes\n\tupdate_initramfs='no' # never\n");
	assert_int_equal(images_generator->plan(&images_fs, &changes, &why), -EPERM);
	assert_contains(said, "update_initramfs=no");
	assert_int_equal(changes.n_steps, 0);
}

/*
 * As a change of the images_generator leaves it: dracut's update-initramfs, and what
 * initramfs-tools leaves behind.
 */
static void test_dracut_beside_remains(void **state __attribute__((unused)))
{
	char text[512], said[512];
	struct str evidence = STR_ON(text), why = STR_ON(said);
	const struct initramfs *found;

	put("etc/kernel/postinst.d/initramfs-tools", "");
	put("etc/kernel/postinst.d/dracut", "");
	put("usr/bin/dracut", "");
	put("usr/sbin/update-initramfs", "#!/bin/sh\nexec mkinitramfs\n");
	assert_null(initramfs_find(&images_fs, &evidence, &why));
	put("usr/sbin/update-initramfs", "#!/bin/sh\nexec dracut --force\n");
	found = initramfs_find(&images_fs, &evidence, &why);
	assert_non_null(found);
	assert_string_equal(found->name, "dracut");
}

/* The program that an undo would run is gone, and another images_generator is there. */
static void test_plan_again(void **state __attribute__((unused)))
{
	static const char *const all[] = { "update-initramfs", "-u", "-k", "all", NULL };
	struct changes changes = { 0 };
	char said[256] = "";
	struct str why = STR_ON(said);

	assert_int_equal(changes_run(&changes, "", all, NULL), 0);
	assert_int_equal(initramfs_plan_again(&images_fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 1);
	unlink(full("usr/sbin/update-initramfs"));
	assert_int_equal(initramfs_plan_again(&images_fs, &changes, &why), -ENOENT);
	assert_contains(said, "no generator");
	use_dracut();
	put("boot/initramfs-" REL ".img", "");
	assert_int_equal(initramfs_plan_again(&images_fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 2);
	assert_step(&changes.steps[1], "dracut --force /boot/initramfs-" REL ".img " REL);
	changes_finish(&changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_TREE(test_kernels),    ON_A_TREE(test_find),
		ON_A_TREE(test_plan),	    ON_A_TREE(test_dracut_beside_remains),
		ON_A_TREE(test_plan_again),
	};

	return UNIT_RUN(tests);
}
