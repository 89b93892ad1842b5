/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine as it is now, and what of a claim there is to give back.
 */
#pragma once

#include "machine.h"
#include "report.h"

/*
 * The configuration, and the functions that are there. False, with why. On success the
 * caller calls machine_finish().
 */
bool now_load(struct fs *root, struct conf *conf, struct machine *machine,
	      struct str *why) __attribute__((nonnull, warn_unused_result));

/* The claim of this name, or NULL with why. */
const struct conf_claim *now_claim(const struct conf *conf, const char *name,
				   struct str *why) __attribute__((nonnull));

/*
 * A report with this claim alone: what the boot has claimed for it, and what vfio-pci has
 * besides of what the configuration names, which may have come or been claimed since.
 * False, with why, if neither knows the claim.
 */
bool now_claimed(struct fs *root, const struct report *boot, const char *name,
		 struct report *ret, struct str *why)
	__attribute__((nonnull, warn_unused_result));
