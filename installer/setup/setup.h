/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * From a choice of functions to the changes that it takes: configuration, kernel
 * arguments, images, boot menu. Looks only; the journal carries it out.
 */
#pragma once

#include "bootloader.h"
#include "change.h"
#include "initramfs.h"
#include "setup_choose.h"
#include "setup_graphics.h"

struct setup_options {
	bool no_display_ok; /* the host may be left without a display */
	bool iommu_pt, ignore_msrs; /* iommu=pt, kvm.ignore_msrs=1 */
	bool entry, no_entry; /* an entry of its own in the menu, or at every boot */
};

struct setup_plan {
	const struct bootloader *bootloader;
	const struct initramfs *initramfs;
	struct args args; /* what every boot entry must have afterwards */
	struct changes changes;
	struct setup_proposals graphics;
	char claim[CONF_NAME_LEN];
	bool named; /* only the menu's entry of its own claims it */
	char *notes; /* heap: lines for people, "" if there are none */
};

/*
 * Judges the choice by the plan that early boot makes, and appends everything. Returns 0,
 * or a negative errno with `why`: what is refused and what to do about it. On success the
 * caller calls setup_plan_finish().
 */
int setup_make_plan(struct fs *root, const struct setup_choice *choice,
		    const struct setup_options *options, struct setup_plan *ret,
		    struct str *why) __attribute__((nonnull, warn_unused_result));
void setup_plan_finish(struct setup_plan *plan) __attribute__((nonnull));

/*
 * Opens every image and reads the arguments back from what the loader will use. Returns 0;
 * -ESTALE, with what is not as it should be appended to `why`; or BOOTLOADER_UNREAD, with
 * whole sentences on what could not be looked at.
 */
int setup_verify(struct fs *root, const struct setup_plan *plan, struct str *why)
	__attribute__((nonnull, warn_unused_result));
