// SPDX-License-Identifier: GPL-2.0-or-later
/* mkinitcpio's presets and images: how they are found, built and judged, on a tree. */
#include <unistd.h>

#include "images.h"
#include "preset.h"

#define PRESET PRESETS "/linux.preset"
#define INITRD "boot/initramfs-linux.img"
#define UNITS "usr/lib/systemd/system/"

/* Besides the modules and our files. */
static const struct file busybox[] = {
	{ "hooks/vfio-claim", "", 0755 },
	{ "hooks/vfio-claim-settle", "", 0755 },
	{ "config",
	  "MODULES=\"nvidia\"\nEARLYHOOKS=\"vfio-claim udev\"\n"
	  "HOOKS=\"udev vfio-claim-settle encrypt\"\nLATEHOOKS=\"\"\n",
	  0644 },
};
static const struct file with_systemd[] = {
	{ "usr/lib/systemd/systemd", "", 0755 },
	{ "config", "EARLYHOOKS=\"vfio-claim\"\nHOOKS=\"\"\n", 0644 },
	{ UNITS "vfio-claim-start.service", "", 0644 },
	{ UNITS "vfio-claim-settle.service", "", 0644 },
	{ UNITS "initrd.target.wants/vfio-claim-start.service", "", 0644 },
	{ UNITS "initrd.target.wants/vfio-claim-settle.service", "", 0644 },
};

/* As Arch's kernel package leaves it. */
static const char usual[] = "# mkinitcpio preset file for the 'linux' package\n\n"
			    "#ALL_config=\"/etc/mkinitcpio.conf\"\n"
			    "ALL_kver=\"/boot/vmlinuz-linux\"\n\n"
			    "PRESETS=('default')\n#PRESETS=('default' 'fallback')\n\n"
			    "default_image=\"/boot/initramfs-linux.img\"\n"
			    "#default_uki=\"/efi/EFI/Linux/arch-linux.efi\"\n\n"
			    "fallback_image=\"/boot/initramfs-linux-fallback.img\"\n"
			    "fallback_options=\"-S autodetect\"\n";

static int note(void *arg, const struct preset_image *image)
{
	str_join(arg, image->name, "|", image->kernel, "|", image->config, "|",
		 image->options, "|", image->path, image->unified ? "|uki\n" : "\n",
		 NULL);
	return 0;
}

/* What is read from a preset file, or why it is not. */
static void assert_preset(const char *text, const char *wanted)
{
	char list[1024], said[256];
	struct str images = STR_ON(list), why = STR_ON(said);
	int r;

	put(PRESET, text);
	r = preset_each(&images_fs, note, &images, &why);
	assert_that(r == (said[0] ? -EPROTO : 0), "%s: %d %s", text, r, said);
	if (r < 0)
		assert_contains(said, wanted);
	else
		assert_string_equal(list, wanted);
}

static void test_presets(void **state __attribute__((unused)))
{
	assert_preset(usual, "linux|/boot/vmlinuz-linux|||boot/initramfs-linux.img\n");
	assert_preset(
		"PRESETS=( a # one\n\t\"b\" )\na_kver=6.1\nALL_kver='7'; a_image=/x\n"
		"b_uki=/efi/b.efi\nALL_config=/etc/c.conf\nb_options=(-S 'a b')\n",
		"linux|6.1|etc/c.conf||x\nlinux|7|etc/c.conf|-S\na b|efi/b.efi|uki\n");
	/* the last one counts; more is appended */
	assert_preset("PRESETS=(a)\nPRESETS+=(b)\na_image=/x\na_image=/y\nb_image=/z\n",
		      "linux||||y\nlinux||||z\n");
	assert_preset("PRESETS=(a)\na_efi_image=/old.efi\n", "linux||||old.efi|uki\n");
	/* what nobody needs may be anything */
	assert_preset("PRESETS=(a)\na_image=/x\nhere=\"$(date)\"\n", "linux||||x\n");
	assert_preset("", "");
	assert_preset("PRESETS=()\n", "");
	assert_preset("PRESETS=(a)\n", "");
	assert_preset("PRESETS=(a)\na_image=\"/boot/$x.img\"\n", "cannot be known");
	assert_preset("PRESETS=(a)\na_image=`x`\n", "cannot be known");
	assert_preset("if true; then\nPRESETS=(a)\nfi\n", ":1: it is more than plain");
	assert_preset("\nPRESETS=(a\n", "more than plain");
	assert_preset("PRESETS=(a)\na_image='/x\n", "more than plain");
	assert_preset("\nPRESETS=('default';)\n", ":2: it is more than plain");
	assert_preset("PRESETS=(;)\n", ":1: it is more than plain");
	assert_preset("PRESETS=(a ;b)\n", ":1: it is more than plain");
	assert_preset("PRESETS=(a)\na_image=/x b_image=/y\n",
		      ":2: it is more than plain");
	assert_preset("PRESETS=(a)\na_image=x.img\n", "no absolute path");
	assert_preset("PRESETS=(a)\na_image=/boot/../../x\n", "no absolute path");
}

static void assert_image(unsigned n, const char *wanted, int error)
{
	char path[256];

	assert_int_equal(images_generator->image(&images_fs, REL, n, path, sizeof(path)),
			 error);
	if (error != -ENODATA)
		assert_string_equal(path, wanted);
}

static void test_image(void **state __attribute__((unused)))
{
	use_mkinitcpio();
	assert_image(0, "boot/initramfs-" REL ".img", -ENOENT);
	put(PRESET, usual);
	assert_image(0, "boot/initramfs-" REL ".img", -ENOENT);
	put(MODULES "pkgbase", "linux\n");
	assert_image(0, INITRD, -ENOENT);
	put(INITRD, "");
	assert_image(0, INITRD, 0);
	assert_image(1, "", -ENODATA);
	put(PRESETS "/lts.preset", "PRESETS=(x)\nx_kver=" REL "\nx_image=/boot/a.img\n"
				   "x_uki=/efi/a.efi\n");
	assert_image(1, "boot/a.img", -ENOENT);
	assert_image(2, "efi/a.efi", -ENOENT);
	assert_image(3, "", -ENODATA);
	put(PRESET, "exit\n");
	assert_image(0, PRESET ":1", -EPROTO);
}

static void assert_plan(int error, const char *words)
{
	struct changes changes = { 0 };
	char said[512];
	struct str why = STR_ON(said);

	assert_int_equal(images_generator->plan(&images_fs, &changes, &why), error);
	assert_int_equal(changes.n_steps, error == 0);
	if (error == 0)
		assert_step(&changes.steps[0], words);
	else
		assert_contains(said, words);
	changes_finish(&changes);
}

static void test_plan(void **state __attribute__((unused)))
{
	use_mkinitcpio();
	assert_plan(-ENOENT, "no preset");
	put(PRESET, usual);
	assert_plan(0, "mkinitcpio -P");
	/* as the presets were until 2023: our drop-in would not be read */
	put(PRESET, "ALL_config=\"/etc/mkinitcpio.conf\"\nPRESETS=('default')\n"
		    "default_image=\"/boot/initramfs-linux.img\"\n");
	put("etc/mkinitcpio.conf", "HOOKS=(base udev)\n");
	assert_plan(-EPERM, PRESET " names a configuration, /etc/mkinitcpio.conf");
	put("etc/mkinitcpio.conf", "HOOKS=(base vfio-claim udev vfio-claim-settle)\n");
	assert_plan(0, "mkinitcpio -P");
	put(PRESET, "exit\n");
	assert_plan(-EPROTO, PRESET);
}

/* As kernel-install has mkinitcpio do it: with presets beside it, and alone. */
static void test_entries(void **state __attribute__((unused)))
{
	struct changes changes = { 0 };
	char said[512];
	struct str why = STR_ON(said);

	use_mkinitcpio();
	put("etc/machine-id", "0123\n");
	put("efi/0123/" REL "/initrd", "");
	assert_image(0, "efi/0123/" REL "/initrd", 0);
	assert_image(1, "", -ENODATA);
	assert_plan(0, "kernel-install add " REL " /boot/vmlinuz-" REL);
	images_generator->mend(&images_fs, REL, &why);
	assert_string_equal(said, "kernel-install add " REL " /usr/lib/modules/" REL
				  "/vmlinuz");
	why = STR_ON(said);
	put(MODULES "pkgbase", "linux\n");
	put(PRESET, usual);
	put(INITRD, "");
	assert_image(0, INITRD, 0);
	assert_image(1, "efi/0123/" REL "/initrd", 0);
	assert_image(2, "", -ENODATA);
	images_generator->mend(&images_fs, REL, &why);
	assert_string_equal(said, "mkinitcpio -P && kernel-install add " REL
				  " /usr/lib/modules/" REL "/vmlinuz");
	why = STR_ON(said);
	assert_int_equal(images_generator->plan(&images_fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 2);
	assert_step(&changes.steps[0], "mkinitcpio -P");
	assert_step(&changes.steps[1], "kernel-install add " REL " /boot/vmlinuz-" REL);
	changes_finish(&changes);
}

static void assert_judged(const struct file *more, size_t n, const char *but,
			  const char *words)
{
	char why[2048];
	struct str s = STR_ON(why);
	int r;

	put_common_image(INITRD, more, n, but);
	r = initramfs_check(&images_fs, images_generator, REL, true, &s);
	assert_that(r == (words ? -ESTALE : 0), "%s: %d %s", but ? but : "all", r, why);
	if (!words)
		return;
	assert_contains(why, words);
	assert_contains(why, "type: mkinitcpio -P");
}

static void use_arch(void)
{
	use_mkinitcpio();
	put(MODULES "pkgbase", "linux\n");
	put(PRESET, usual);
}

static void test_judge(void **state __attribute__((unused)))
{
	use_arch();
	assert_judged(busybox, ARRAY_SIZE(busybox), NULL, NULL);
	assert_judged(busybox, ARRAY_SIZE(busybox), busybox[0].path,
		      "hooks/vfio-claim is not in it");
	assert_judged(busybox, ARRAY_SIZE(busybox), busybox[1].path,
		      "hooks/vfio-claim-settle is not in it");
	assert_judged(busybox, ARRAY_SIZE(busybox), busybox[2].path,
		      "config does not call vfio-claim");
	assert_judged(with_systemd, ARRAY_SIZE(with_systemd), NULL, NULL);
	for (size_t i = 2; i < ARRAY_SIZE(with_systemd); i++)
		assert_judged(with_systemd, ARRAY_SIZE(with_systemd),
			      with_systemd[i].path,
			      strrchr(with_systemd[i].path, '/') + 1);
}

static void test_judge_order(void **state __attribute__((unused)))
{
	static const struct {
		const char *config, *words;
	} cases[] = {
		{ "EARLYHOOKS=\"vfio-claim\"\nHOOKS=\"vfio-claim-settle\"", NULL },
		{ "EARLYHOOKS=\"udev vfio-claim\"\nHOOKS=\"udev vfio-claim-settle\"\n",
		  "too late: not first" },
		{ "EARLYHOOKS=\"vfio-claim\"\nHOOKS=\"vfio-claim-settle udev\"\n",
		  "too early: before udev" },
		{ "EARLYHOOKS=\"vfio-claim\"\nHOOKS=\"udev encrypt vfio-claim-settle\"\n",
		  "too late: after encrypt" },
		{ "EARLYHOOKS=\"vfio-claim\"\nHOOKS=\"udev\"\n",
		  "does not call vfio-claim-settle" },
		{ "EARLYHOOKS=\"vfio-claim-settle\"\nHOOKS=\"vfio-claim-settle\"\n",
		  "does not call vfio-claim" },
	};
	struct file files[ARRAY_SIZE(busybox)];

	use_arch();
	memcpy(files, busybox, sizeof(files));
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		files[2].text = cases[i].config;
		assert_judged(files, ARRAY_SIZE(files), NULL, cases[i].words);
	}
	/* a script that is not executable is not called */
	files[2] = busybox[2];
	files[0].mode = 0644;
	assert_judged(files, ARRAY_SIZE(files), NULL, "hooks/vfio-claim is not in it");
}

/* All images of a kernel are looked into. */
static void test_second_image(void **state __attribute__((unused)))
{
	char why[2048];
	struct str s = STR_ON(why);

	use_arch();
	put(PRESET, "PRESETS=(default fallback)\ndefault_image=/" INITRD "\n"
		    "fallback_image=/boot/second.img\n");
	put_common_image("boot/second.img", busybox, ARRAY_SIZE(busybox), NULL);
	assert_judged(busybox, ARRAY_SIZE(busybox), NULL, NULL);
	put_common_image("boot/second.img", busybox, ARRAY_SIZE(busybox), "config");
	assert_judged(busybox, ARRAY_SIZE(busybox), NULL, "/boot/second.img: config");
	unlink(full("boot/second.img"));
	assert_judged(busybox, ARRAY_SIZE(busybox), NULL, "there is no /boot/second.img");
	assert_int_equal(initramfs_check_image(&images_fs, images_generator, REL, INITRD,
					       true, &s),
			 0);
	/* nothing is wanted, and something is there */
	assert_int_equal(initramfs_check(&images_fs, images_generator, REL, false, &s),
			 -ESTALE);
	assert_contains(why, "is still in it");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_TREE(test_presets),     ON_A_TREE(test_image),
		ON_A_TREE(test_plan),	     ON_A_TREE(test_judge),
		ON_A_TREE(test_judge_order), ON_A_TREE(test_second_image),
		ON_A_TREE(test_entries),
	};

	return cmocka_run_group_tests_name("mkinitcpio", tests, NULL, NULL);
}
