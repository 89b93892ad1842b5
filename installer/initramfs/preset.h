/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * mkinitcpio's presets (mkinitcpio(8), "About presets"): the images that "mkinitcpio -P"
 * builds. They are shell; what is more than a plain assignment is refused.
 */
#pragma once

#include "fs.h"
#include "str.h"

#define PRESETS "etc/mkinitcpio.d"

struct preset_image {
	const char *file; /* "etc/mkinitcpio.d/linux.preset" */
	const char *name; /* "linux" */
	const char *kernel; /* a release or the absolute path of a kernel */
	/*
	 * relative to the root; "": /etc/mkinitcpio.conf with its drop-ins, which are not
	 * read where one is named
	 */
	const char *config;
	const char *options; /* words, each on a line */
	const char
		*cmdline; /* the file of a unified image's arguments, "": mkinitcpio's */
	const char *path; /* of the image, relative to the root */
	bool unified;
};

/* All of it lives until the function returns; what is not 0 ends the search. */
typedef int preset_fn(void *arg, const struct preset_image *image);

/*
 * Calls `fn` for every image, by the presets' file names; a unified one comes behind the
 * plain one of the same preset. Returns what `fn` did, 0, -EPROTO with `why` where a
 * preset cannot be understood, or another negative errno.
 */
int preset_each(struct fs *root, preset_fn *fn, void *arg, struct str *why)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));
