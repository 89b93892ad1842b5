/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Initramfs generators: which one builds this machine's images, what rebuilds them all,
 * and whether an image holds what the next boot needs. One backend a file.
 */
#pragma once

#include "change.h"
#include "image.h"
#include "str.h"

#define INITRAMFS_MAX_KERNELS 64
#define INITRAMFS_RELEASE_LEN 65

/* How an image calls vfio-claim-early: seen entry by entry, judged at the end. */
struct initramfs_calls {
	size_t size; /* of the state, zeroed at first */
	/* As struct image_visitor's; `data` may be NULL where `entry` never wants any. */
	bool (*entry)(void *state, const struct image_entry *entry);
	void (*data)(void *state, const char *data, size_t len);
	/* Names what is missing with initramfs_miss(). */
	void (*judge)(void *state, struct str *why);
};

struct initramfs {
	const char *name; /* "initramfs-tools" */

	/* True if this machine uses it; what shows that is appended to `evidence`. */
	bool (*probe)(struct fs *root, struct str *evidence);

	/*
	 * Appends the programs that rebuild the image of every kernel. Returns 0, or a
	 * negative errno with `why`: this generator is not supported yet, and what is.
	 */
	int (*plan)(struct fs *root, struct changes *changes, struct str *why);

	/*
	 * The nth image of a kernel, from 0, relative to the root. 0; -ENOENT if it is
	 * not there; -ENODATA if there is no further one, for n > 0; -EOPNOTSUPP if it
	 * cannot be looked into; or another negative errno.
	 */
	int (*image)(struct fs *root, const char *release, unsigned n, char *path,
		     size_t size);

	/* Of those that are supported: */
	const char *program; /* what plan() runs: "dracut" */
	struct initramfs_calls calls;
	const char *hook; /* what puts us into images */
	/* The command that builds the image of a kernel again, or for the first time. */
	void (*mend)(struct fs *root, const char *release, struct str *command);
	const char *rebuild; /* what people type to build all images again */
	const char *compress; /* how to choose a compression that can be read here */
};

/* Appends "AB" to what is missing. */
void initramfs_miss(struct str *why, const char *a, const char *b)
	__attribute__((nonnull));

/* The one in use, or NULL with `why`. */
const struct initramfs *initramfs_find(struct fs *root, struct str *evidence,
				       struct str *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * For an undo, whose programs were those of back then: where one that built images is
 * gone from the machine, appends what rebuilds them now. Returns 0 or a negative errno
 * with `why`: the images stay as they are.
 */
int initramfs_plan_again(struct fs *root, struct changes *changes, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* Kernels that are installed (a folder in lib/modules with modules.dep), newest first. */
struct initramfs_kernels {
	char release[INITRAMFS_MAX_KERNELS][INITRAMFS_RELEASE_LEN];
	size_t n;
};
int initramfs_kernels(struct fs *root, struct initramfs_kernels *ret)
	__attribute__((nonnull, warn_unused_result));

/* A release that may stand in a path and in a command line. */
bool initramfs_release_is_sane(const char *release) __attribute__((nonnull));

/*
 * The initramfs of kernel-install's entry for a kernel, in a folder named after the
 * machine or the distribution. 0 or -ENOENT.
 */
int initramfs_entry(struct fs *root, const char *release, char *path, size_t size)
	__attribute__((nonnull));

/* False for modules of a kernel that is gone: neither a kernel nor an image is there. */
bool initramfs_boots(struct fs *root, const char *release) __attribute__((nonnull));

/*
 * Opens an image, whatever compresses it, and looks for the binary (byte for byte the
 * installed one), the configuration (byte for byte /etc/vfio-claim.conf), vfio-pci with
 * what it needs for this kernel or built in, and the order of the boot scripts. With
 * `wanted` false the opposite: nothing of ours may be in it. Returns 0 if it is as
 * wanted, -ESTALE with `why` naming what is missing and the mend, or another negative
 * errno if it cannot be read.
 */
int initramfs_check_image(struct fs *root, const struct initramfs *generator,
			  const char *release, const char *path, bool wanted,
			  struct str *why) __attribute__((nonnull, warn_unused_result));

/*
 * As initramfs_check_image(), for every image of a kernel, up to the first that is not
 * as wanted. 0, too, if neither an image nor its kernel is there: what does not boot
 * needs nothing.
 */
int initramfs_check(struct fs *root, const struct initramfs *generator,
		    const char *release, bool wanted, struct str *why)
	__attribute__((nonnull, warn_unused_result));
