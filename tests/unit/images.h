/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A tree of a machine with initramfs-tools and one kernel, and the image of that kernel,
 * for the tests of what builds images and of what looks into them.
 */
#pragma once

#include "initramfs.h"
#include "unit.h"

#define REL "6.1.0-9-amd64"
#define IMAGE "boot/initrd.img-" REL
#define BINARY "usr/lib/vfio-claim/vfio-claim-early"
#define HOOK "usr/share/initramfs-tools/hooks/vfio-claim"
#define CONF "etc/vfio-claim.conf"
#define MODULES "usr/lib/modules/" REL "/"
#define VFIO "kernel/drivers/vfio/"

#define ON_A_TREE(test) cmocka_unit_test_setup_teardown(test, images_begin, images_finish)

struct file {
	const char *path, *text;
	mode_t mode;
};

/*
 * What initramfs-tools puts into an image; the first IMAGES_COMMON are every generator's.
 */
#define IMAGES_COMMON 8
#define IMAGES_GOOD 16
extern const struct file images_good[IMAGES_GOOD];

extern struct fs images_fs;
extern const struct initramfs *images_generator;

int images_begin(void **state);
int images_finish(void **state);

/* A path below the tree's root, in a static buffer. */
char *full(const char *path);

void put(const char *path, const char *text);
void put_bytes(const char *path, const void *data, size_t len, mode_t mode);

/*
 * An image of what initramfs-tools puts into it, with `but` in place of the file of that
 * path; without it if its text is NULL.
 */
void put_image(const struct file *but);

/* What every generator puts into an image, and `more`, without the file `but`. */
void put_common_image(const char *path, const struct file *more, size_t n,
		      const char *but);

void assert_step(const struct step *step, const char *words);

/* In place of initramfs-tools. */
void use_dracut(void);
void use_mkinitcpio(void);
