/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a kernel was built with: /boot/config-RELEASE, or "config" beside its modules.
 */
#pragma once

#include "fs.h"

/*
 * 'y', 'm', 'n' for a setting that is not set, or 0 if no configuration of this kernel
 * can be read. `path` is where it was found.
 */
char kernel_config(struct fs *root, const char *release, const char *setting, char *path,
		   size_t size) __attribute__((nonnull));

/* Whether VT-d is on without intel_iommu= on the command line. */
enum kernel_vtd {
	KERNEL_VTD_UNKNOWN, /* no configuration can be read */
	KERNEL_VTD_OFF,
	KERNEL_VTD_BUT_GRAPHICS, /* on, but not for Intel's own graphics: Debian's kernels */
	KERNEL_VTD_ON,
};
enum kernel_vtd kernel_config_vtd(struct fs *root, const char *release, char *path,
				  size_t size) __attribute__((nonnull));

/* The setting that says so, for those that are on. */
const char *kernel_config_vtd_setting(enum kernel_vtd vtd);
