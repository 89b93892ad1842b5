// SPDX-License-Identifier: GPL-2.0-or-later
/* Generators, kernels and the check of images, on a tree. */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpio.h"
#include "initramfs.h"

#define REL "6.1.0-9-amd64"
#define IMAGE "boot/initrd.img-" REL
#define BINARY "usr/lib/vfio-claim/vfio-claim-early"
#define HOOK "usr/share/initramfs-tools/hooks/vfio-claim"
#define CONF "etc/vfio-claim.conf"
#define MODULES "usr/lib/modules/" REL "/"
#define VFIO "kernel/drivers/vfio/"

static const char dep[] = VFIO "vfio.ko:\n" VFIO "pci/vfio-pci.ko: " VFIO
			       "pci/vfio-pci-core.ko " VFIO "vfio_virqfd.ko " VFIO
			       "vfio.ko\n" VFIO "vfio_iommu_type1.ko: " VFIO "vfio.ko\n"
			       "kernel/drivers/gpu/drm/nouveau.ko: kernel/x.ko\n";

static struct fs fs;
static const struct initramfs *generator;

static char *full(const char *path)
{
	static char buf[512];

	snprintf(buf, sizeof(buf), "%s/root/%s", getenv("UNIT_TMP"), path);
	return buf;
}

static void put_bytes(const char *path, const void *data, size_t len, mode_t mode)
{
	char *at = full(path);
	int fd;

	for (char *c = at + 1; (c = strchr(c, '/')); c++) {
		*c = '\0';
		(void)mkdir(at, 0755);
		*c = '/';
	}
	unlink(at);
	fd = open(at, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, mode);
	assert_that(fd >= 0, "%s", at);
	assert_int_equal(write(fd, data, len), (long)len);
	close(fd);
}

static void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text), 0644);
}

static int clear(void)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf '%s'", full(""));
	return system(command);
}

static int begin(void **state __attribute__((unused)))
{
	char ignored[256], why[256] = "";
	struct str evidence = STR_ON(ignored), said = STR_ON(why);

	assert_int_equal(clear(), 0);
	put("usr/sbin/update-initramfs", "");
	put("usr/sbin/mkinitramfs", "");
	put(HOOK, "");
	put(BINARY, "a binary");
	put(CONF, "a configuration");
	put(MODULES "modules.dep", dep);
	put(MODULES "modules.builtin", "kernel/fs/ext4/ext4.ko\n");
	put("boot/vmlinuz-" REL, "");
	assert_int_equal(symlink("usr/lib", full("lib")), 0);
	assert_int_equal(fs_init(&fs, full("")), 0);
	generator = initramfs_find(&fs, &evidence, &said);
	assert_that(generator, "%s", why);
	assert_string_equal(generator->name, "initramfs-tools");
	return 0;
}

static int finish(void **state __attribute__((unused)))
{
	fs_finish(&fs);
	return clear();
}

/* ---- an image, less or other than it should be */

struct file {
	const char *path, *text;
	mode_t mode;
};

static const struct file good[] = {
	{ "usr/lib/modules/" REL "/modules.dep", "", 0644 },
	{ "usr/lib/modules/" REL "/" VFIO "pci/vfio-pci.ko", "", 0644 },
	{ "usr/lib/modules/" REL "/" VFIO "pci/vfio-pci-core.ko.zst", "", 0644 },
	{ "usr/lib/modules/" REL "/" VFIO "vfio_virqfd.ko.xz", "", 0644 },
	{ "lib/modules/" REL "/" VFIO "vfio.ko.gz", "", 0644 },
	{ "usr/lib/modules/" REL "/" VFIO "vfio_iommu_type1.ko", "", 0644 },
	{ BINARY, "a binary", 0755 },
	{ CONF, "a configuration", 0600 },
	{ "scripts/init-top/00-vfio-claim", "", 0755 },
	{ "scripts/init-top/ORDER",
	  "/scripts/init-top/00-vfio-claim \"$@\"\n[ -e /conf/param.conf ] && . "
	  "/conf/param.conf\n/scripts/init-top/udev \"$@\"\n",
	  0644 },
	{ "scripts/local-top/00-vfio-claim", "", 0755 },
	{ "scripts/local-top/ORDER",
	  "/scripts/local-top/00-vfio-claim \"$@\"\n/scripts/local-top/cryptroot "
	  "\"$@\"\n",
	  0644 },
	{ "scripts/nfs-top/00-vfio-claim", "", 0755 },
	{ "scripts/nfs-top/ORDER", "/scripts/nfs-top/00-vfio-claim \"$@\"\n", 0644 },
	{ "scripts/init-bottom/00-vfio-claim", "", 0755 },
	{ "scripts/init-bottom/ORDER",
	  "/scripts/init-bottom/udev \"$@\"\n/scripts/init-bottom/00-vfio-claim "
	  "\"$@\"\n",
	  0644 },
};

/* Without the modules and our files, which are as above. */
#define OTHERS 8
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

/* Ours and `more`, without the one of the path `but`. */
static void put_dracut_image(const struct file *more, size_t n, const char *but)
{
	struct bytes image = { 0 };

	for (size_t i = 0; i < OTHERS + n; i++) {
		const struct file *f = i < OTHERS ? &good[i] : &more[i - OTHERS];

		if (!but || strcmp(but, f->path) != 0)
			cpio_add(&image, f->path, S_IFREG | f->mode, f->text,
				 strlen(f->text));
	}
	cpio_end(&image);
	put_bytes(IMAGE, image.data, image.len, 0644);
	bytes_finish(&image);
}

/* With `but` in place of the file of that path; without it if its text is NULL. */
static void put_image(const struct file *but)
{
	struct bytes plain = { 0 }, image = { 0 };

	cpio_text(&image, "kernel/x86/microcode/x.bin", "micro");
	cpio_end(&image);
	bytes_zeros(&image, 512);
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct file *f = &good[i];

		if (but && strcmp(but->path, f->path) == 0)
			f = but;
		if (f->text)
			cpio_add(&plain, f->path, S_IFREG | f->mode, f->text,
				 strlen(f->text));
	}
	cpio_end(&plain);
	bytes_pack(&image, ZSTD, &plain);
	put_bytes(IMAGE, image.data, image.len, 0644);
	bytes_finish(&plain);
	bytes_finish(&image);
}

static void assert_check(int error, bool wanted, const char *text)
{
	char why[2048];
	struct str s = STR_ON(why);
	const int r = initramfs_check(&fs, generator, REL, wanted, &s);

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
	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++) {
		const struct file but = { good[i].path, NULL, 0 };
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

	for (size_t i = 0; i < sizeof(good) / sizeof(good[0]); i++)
		cpio_add(&image, good[i].path, S_IFREG | good[i].mode, good[i].text,
			 strlen(good[i].text));
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

/* ---- kernels, generators */

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
	assert_int_equal(initramfs_kernels(&fs, &kernels), 0);
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

	put("usr/bin/mkinitcpio", "");
	assert_null(initramfs_find(&fs, &evidence, &why));
	assert_contains(said, "initramfs-tools, mkinitcpio");
	put("etc/kernel/postinst.d/mkinitcpio", "");
	evidence = STR_ON(text);
	why = STR_ON(said);
	found = initramfs_find(&fs, &evidence, &why);
	assert_non_null(found);
	assert_string_equal(found->name, "mkinitcpio");
	assert_contains(text, "/usr/bin/mkinitcpio");
	assert_contains(text, "postinst.d/mkinitcpio");
	assert_int_equal(found->plan(&fs, &changes, &why), -EOPNOTSUPP);
	assert_contains(said, "mkinitcpio");
	assert_contains(said, "initramfs-tools");
	assert_int_equal(changes.n_steps, 0);
	assert_int_equal(initramfs_check(&fs, found, REL, true, &why), -EOPNOTSUPP);
	unlink(full("usr/bin/mkinitcpio"));
	unlink(full("usr/sbin/mkinitramfs"));
	why = STR_ON(said);
	assert_null(initramfs_find(&fs, &evidence, &why));
	assert_contains(said, "install initramfs-tools");
}

static void assert_step(const struct step *step, const char *words)
{
	char text[256];
	struct str s = STR_ON(text);

	for (char **word = step->argv; *word; word++)
		str_join(&s, s.len ? " " : "", *word, NULL);
	assert_string_equal(text, words);
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
	assert_int_equal(generator->plan(&fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 2);
	assert_step(&changes.steps[0], "update-initramfs -c -k 6.1.0-10-amd64");
	assert_step(&changes.steps[1], "update-initramfs -u -k all");
	changes_finish(&changes);
	changes = (struct changes){ 0 };
	put("etc/initramfs-tools/update-initramfs.conf", "update_initramfs=yes\n");
	assert_int_equal(generator->plan(&fs, &changes, &why), 0);
	changes_finish(&changes);
	changes = (struct changes){ 0 };
	put("etc/initramfs-tools/update-initramfs.conf",
	    "# update_initramfs=yes\n\tupdate_initramfs='no' # never\n");
	assert_int_equal(generator->plan(&fs, &changes, &why), -EPERM);
	assert_contains(said, "update_initramfs=no");
	assert_int_equal(changes.n_steps, 0);
}

static const struct initramfs *use_dracut(void)
{
	char text[512], said[512];
	struct str evidence = STR_ON(text), why = STR_ON(said);

	unlink(full("usr/sbin/mkinitramfs"));
	put("usr/bin/dracut", "");
	put("usr/lib/dracut/modules.d/55vfio-claim/module-setup.sh", "");
	generator = initramfs_find(&fs, &evidence, &why);
	assert_non_null(generator);
	assert_string_equal(generator->name, "dracut");
	return generator;
}

/* As a change of the generator leaves it: dracut's update-initramfs, and what
 * initramfs-tools leaves behind. */
static void test_dracut_beside_remains(void **state __attribute__((unused)))
{
	char text[512], said[512];
	struct str evidence = STR_ON(text), why = STR_ON(said);
	const struct initramfs *found;

	put("etc/kernel/postinst.d/initramfs-tools", "");
	put("etc/kernel/postinst.d/dracut", "");
	put("usr/bin/dracut", "");
	put("usr/sbin/update-initramfs", "#!/bin/sh\nexec mkinitramfs\n");
	assert_null(initramfs_find(&fs, &evidence, &why));
	put("usr/sbin/update-initramfs", "#!/bin/sh\nexec dracut --force\n");
	found = initramfs_find(&fs, &evidence, &why);
	assert_non_null(found);
	assert_string_equal(found->name, "dracut");
}

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
			put_dracut_image(kinds[kind].files, kinds[kind].n, but);
			r = initramfs_check(&fs, generator, REL, true, &s);
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
	put_dracut_image(files, ARRAY_SIZE(files), NULL);
	assert_int_equal(initramfs_check(&fs, generator, REL, true, &s), -ESTALE);
	assert_contains(why, "too late: after 00-load-nvidia.sh");
}

/* The program that an undo would run is gone, and another generator is there. */
static void test_plan_again(void **state __attribute__((unused)))
{
	static const char *const all[] = { "update-initramfs", "-u", "-k", "all", NULL };
	struct changes changes = { 0 };
	char said[256] = "";
	struct str why = STR_ON(said);

	assert_int_equal(changes_run(&changes, "", all, NULL), 0);
	assert_int_equal(initramfs_plan_again(&fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 1);
	unlink(full("usr/sbin/update-initramfs"));
	assert_int_equal(initramfs_plan_again(&fs, &changes, &why), -ENOENT);
	assert_contains(said, "no generator");
	use_dracut();
	put("boot/initramfs-" REL ".img", "");
	assert_int_equal(initramfs_plan_again(&fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 2);
	assert_step(&changes.steps[1], "dracut --force /boot/initramfs-" REL ".img " REL);
	changes_finish(&changes);
}

static void assert_image(const char *wanted, int error)
{
	char path[256];

	assert_int_equal(generator->image(&fs, REL, path, sizeof(path)), error);
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
	assert_int_equal(generator->plan(&fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 1);
	assert_step(&changes.steps[0], "dracut --force /" IMAGE " " REL);
	assert_string_equal(changes.steps[0].undo_argv[0], "rm");
	changes_finish(&changes);
	changes = (struct changes){ 0 };
	put("efi/EFI/Linux/linux-" REL "-0123.efi", "");
	assert_int_equal(generator->image(&fs, REL, said, sizeof(said)), -EOPNOTSUPP);
	assert_int_equal(generator->plan(&fs, &changes, &why), -EOPNOTSUPP);
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
	assert_int_equal(generator->plan(&fs, &changes, &why), 0);
	assert_int_equal(changes.n_steps, 1);
	assert_step(&changes.steps[0], "dracut --force /boot/initramfs-" REL ".img " REL);
	assert_null(changes.steps[0].undo_argv);
	changes_finish(&changes);
}

#define ON_A_TREE(test) cmocka_unit_test_setup_teardown(test, begin, finish)

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_TREE(test_good),
		ON_A_TREE(test_lacking),
		ON_A_TREE(test_other_content),
		ON_A_TREE(test_much_lacking),
		ON_A_TREE(test_replaced),
		ON_A_TREE(test_built_in),
		ON_A_TREE(test_not_wanted),
		ON_A_TREE(test_what_is_missing_outside),
		ON_A_TREE(test_no_image),
		ON_A_TREE(test_links),
		ON_A_TREE(test_kernels),
		ON_A_TREE(test_find),
		ON_A_TREE(test_plan),
		ON_A_TREE(test_dracut),
		ON_A_TREE(test_plan_again),
		ON_A_TREE(test_dracut_too_late),
		ON_A_TREE(test_dracut_beside_remains),
		ON_A_TREE(test_dracut_plan),
	};

	return UNIT_RUN(tests);
}
