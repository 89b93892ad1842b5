/* SPDX-License-Identifier: GPL-2.0-or-later */
/* dracut's images: how they are named, built and judged, on a tree. */
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpio.h"
#include "images.h"

/* Besides the modules and our files. */
static const struct file dracut_shell[] = {
	{ "usr/lib/dracut/hooks/cmdline/00-vfio-claim-start.sh", "", 0755 },
	{ "usr/lib/dracut/hooks/cmdline/01-parse-kernel.sh", "", 0755 },
	{ "usr/lib/dracut/hooks/initqueue/settled/00-vfio-claim-settle.sh", "", 0755 },
	{ "usr/lib/dracut/hooks/pre-mount/00-vfio-claim-settle.sh", "", 0755 },
};

#define UNITS "usr/lib/systemd/system/"
static const struct file dracut_systemd[] = {
	{ "usr/lib/systemd/systemd", "", 0755 },
	{ "var/lib/dracut/hooks/cmdline/01-parse-kernel.sh", "", 0755 },
	{ UNITS "vfio-claim-start.service", "", 0644 },
	{ UNITS "vfio-claim-settle.service", "", 0644 },
	{ UNITS "initrd.target.wants/vfio-claim-start.service", "", 0644 },
	{ UNITS "initrd.target.wants/vfio-claim-settle.service", "", 0644 },
};

static void test_dracut(void **state __attribute__((unused)))
{
	static const struct {
		const struct file *files;
		size_t n;
	} kinds[] = { { dracut_shell, ARRAY_SIZE(dracut_shell) },
		      { dracut_systemd, ARRAY_SIZE(dracut_systemd) } };
	char why[2048];
	struct str s;

	use_dracut();
	for (size_t kind = 0; kind < ARRAY_SIZE(kinds); kind++)
		for (size_t i = 0; i <= kinds[kind].n; i++) {
			const char *but =
				i < kinds[kind].n ? kinds[kind].files[i].path : NULL;
			const char *name = but ? strrchr(but, '/') + 1 : "";
			const bool ours = strstr(name, "vfio-claim");
			int r;

			/* without systemd it is an image of the other kind */
			if (str_equal(name, "systemd"))
				continue;
			s = STR_ON(why);
			put_common_image(IMAGE, kinds[kind].files, kinds[kind].n, but);
			r = initramfs_check(&images_fs, images_generator, REL, true, &s);
			assert_that(r == (ours ? -ESTALE : 0), "%s: %d %s", name, r, why);
			if (ours) {
				assert_contains(why, name);
				assert_contains(why,
						"type: dracut --force /" IMAGE " " REL);
			}
		}
}

static void test_dracut_too_late(void **state __attribute__((unused)))
{
	struct file files[ARRAY_SIZE(dracut_shell)];
	char why[2048];
	struct str s = STR_ON(why);

	use_dracut();
	memcpy(files, dracut_shell, sizeof(files));
	files[1].path = "usr/lib/dracut/hooks/cmdline/00-load-nvidia.sh";
	put_common_image(IMAGE, files, ARRAY_SIZE(files), NULL);
	assert_int_equal(initramfs_check(&images_fs, images_generator, REL, true, &s),
			 -ESTALE);
	assert_contains(why, "too late: after 00-load-nvidia.sh");
}

static void assert_image(const char *wanted, int error)
{
	char path[256];

	assert_int_equal(images_generator->image(&images_fs, REL, 0, path, sizeof(path)),
			 error);
	assert_string_equal(path, wanted);
}

static void test_dracut_plan(void **state __attribute__((unused)))
{
	struct changes changes = { 0 };
	char said[256];
	struct str why = STR_ON(said);

	use_dracut();
	assert_image("boot/initramfs-" REL ".img", -ENOENT);
	put("etc/debian_version", "");
	assert_image(IMAGE, -ENOENT);
	assert_int_equal(images_generator->plan(&images_fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 1);
	assert_step(&changes.steps[0], "dracut --force /" IMAGE " " REL);
	assert_string_equal(changes.steps[0].undo_argv[0], "rm");
	changes_finish(&changes);
	changes = (struct changes){ 0 };
	put("efi/EFI/Linux/linux-" REL "-0123.efi", "");
	assert_int_equal(images_generator->image(&images_fs, REL, 0, said, sizeof(said)),
			 -EOPNOTSUPP);
	assert_int_equal(images_generator->plan(&images_fs, &changes, &why), -EOPNOTSUPP);
	assert_contains(said, "unified");
	assert_int_equal(changes.n_steps, 0);
	unlink(full("efi/EFI/Linux/linux-" REL "-0123.efi"));
	why = STR_ON(said);
	put("etc/machine-id", "0123\n");
	put("efi/0123/" REL "/initrd", "");
	assert_image("efi/0123/" REL "/initrd", 0);
	put("boot/initrd-" REL, "");
	assert_image("boot/initrd-" REL, 0);
	put("boot/initramfs-" REL ".img", "");
	assert_image("boot/initramfs-" REL ".img", 0);
	put("usr/lib/modules/6.1.0-8-amd64/modules.dep", "");
	assert_int_equal(images_generator->plan(&images_fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 1);
	assert_step(&changes.steps[0], "dracut --force /boot/initramfs-" REL ".img " REL);
	assert_null(changes.steps[0].undo_argv);
	changes_finish(&changes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_TREE(test_dracut),
		ON_A_TREE(test_dracut_too_late),
		ON_A_TREE(test_dracut_plan),
	};

	return UNIT_RUN(tests);
}
