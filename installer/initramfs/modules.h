/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which modules an image must hold so that vfio-pci loads and a guest can open what it
 * has: by modules.dep and modules.builtin of the kernel itself.
 */
#pragma once

#include "fs.h"
#include "str.h"

#define MODULES_MAX 64
#define MODULES_NAME_LEN 64

struct modules {
	struct {
		char name[MODULES_NAME_LEN]; /* with _ for - */
		bool found;
	} needed[MODULES_MAX];
	size_t n;
};

/*
 * Returns 0; -ENOENT if the kernel has no vfio-pci at all, or another negative errno.
 * `why` says it in words.
 */
int modules_needed(struct fs *root, const char *release, struct modules *ret,
		   struct str *why) __attribute__((nonnull, warn_unused_result));

/* "kernel/drivers/vfio/pci/vfio-pci.ko.xz" is vfio_pci. False if it is no module. */
bool modules_name(const char *path, size_t len, char ret[static MODULES_NAME_LEN])
	__attribute__((nonnull, warn_unused_result));

/* Marks the one that is at this path, if it is needed. */
void modules_mark(struct modules *modules, const char *path) __attribute__((nonnull));
