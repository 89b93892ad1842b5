/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which kernel arguments this machine needs for its IOMMU, and no more.
 */
#pragma once

#include "args.h"
#include "setup_choose.h"
#include "str.h"

struct fs;

/*
 * Appends what is needed: intel_iommu=on on an Intel machine with a kernel that does not
 * switch it on by itself (its configuration, or what the running one did), or not for the
 * processor's own graphics where that is chosen; nothing on AMD, where it is on unless
 * told otherwise. Returns 0; -ENODEV with `why` if the firmware offers no IOMMU; or
 * -ENOMEM.
 */
int setup_args_needed(struct fs *root, const struct setup_choice *choice,
		      struct args *ret, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* A word among these that switches the IOMMU off, or NULL. */
const char *setup_args_switch_off(struct fs *root, const struct args *configured)
	__attribute__((nonnull));
