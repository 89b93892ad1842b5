/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "images.h"

#include <fcntl.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "cpio.h"

static const char dep[] = VFIO "vfio.ko:\n" VFIO "pci/vfio-pci.ko: " VFIO
			       "pci/vfio-pci-core.ko " VFIO "vfio_virqfd.ko " VFIO
			       "vfio.ko\n" VFIO "vfio_iommu_type1.ko: " VFIO "vfio.ko\n"
			       "kernel/drivers/gpu/drm/nouveau.ko: kernel/x.ko\n";

struct fs images_fs;
const struct initramfs *images_generator;

const struct file images_good[IMAGES_GOOD] = {
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

char *full(const char *path)
{
	static char buf[512];

	snprintf(buf, sizeof(buf), "%s/root/%s", getenv("UNIT_TMP"), path);
	return buf;
}

void put_bytes(const char *path, const void *data, size_t len, mode_t mode)
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

void put(const char *path, const char *text)
{
	put_bytes(path, text, strlen(text), 0644);
}

static int clear(void)
{
	char command[512];

	snprintf(command, sizeof(command), "rm -rf '%s'", full(""));
	return system(command);
}

int images_begin(void **state __attribute__((unused)))
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
	assert_int_equal(fs_init(&images_fs, full("")), 0);
	images_generator = initramfs_find(&images_fs, &evidence, &said);
	assert_that(images_generator, "%s", why);
	assert_string_equal(images_generator->name, "initramfs-tools");
	return 0;
}

int images_finish(void **state __attribute__((unused)))
{
	fs_finish(&images_fs);
	return clear();
}

void put_image(const struct file *but)
{
	struct bytes plain = { 0 }, image = { 0 };

	cpio_text(&image, "kernel/x86/microcode/x.bin", "micro");
	cpio_end(&image);
	bytes_zeros(&image, 512);
	for (size_t i = 0; i < IMAGES_GOOD; i++) {
		const struct file *f = &images_good[i];

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

void put_common_image(const char *path, const struct file *more, size_t n,
		      const char *but)
{
	struct bytes image = { 0 };

	for (size_t i = 0; i < IMAGES_COMMON + n; i++) {
		const struct file *f =
			i < IMAGES_COMMON ? &images_good[i] : &more[i - IMAGES_COMMON];

		if (!but || strcmp(but, f->path) != 0)
			cpio_add(&image, f->path, S_IFREG | f->mode, f->text,
				 strlen(f->text));
	}
	cpio_end(&image);
	put_bytes(path, image.data, image.len, 0644);
	bytes_finish(&image);
}

void assert_step(const struct step *step, const char *words)
{
	char text[256];
	struct str s = STR_ON(text);

	for (char **word = step->argv; *word; word++)
		str_join(&s, s.len ? " " : "", *word, NULL);
	assert_string_equal(text, words);
}

static void use(const char *name)
{
	char text[512], said[512];
	struct str evidence = STR_ON(text), why = STR_ON(said);

	unlink(full("usr/sbin/mkinitramfs"));
	images_generator = initramfs_find(&images_fs, &evidence, &why);
	assert_non_null(images_generator);
	assert_string_equal(images_generator->name, name);
}

void use_dracut(void)
{
	put("usr/bin/dracut", "");
	put("usr/lib/dracut/modules.d/55vfio-claim/module-setup.sh", "");
	use("dracut");
}

void use_mkinitcpio(void)
{
	put("usr/bin/mkinitcpio", "");
	put("usr/lib/initcpio/install/vfio-claim", "");
	use("mkinitcpio");
}
