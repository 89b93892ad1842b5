/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether what is claimed holds after the machine slept. Nothing is changed.
 */
#pragma once

#include "report.h"

#define RESUME_PATH "run/vfio-claim/resume.json"

struct resume {
	bool known; /* the machine slept, and was looked at */
	bool holds;
	char detail[512];
};

/*
 * Whether there is anything to look at: CLAIMED, if anything is claimed now, by the boot
 * or by hand since; HELD, if all there is was held and never settled; or KEPT.
 */
enum outcome resume_applies(struct fs *root, const struct report *boot)
	__attribute__((nonnull, warn_unused_result));

/*
 * Every function that is claimed now answers, is the same, in its group and on vfio-pci;
 * and the host has the display that it requires. True, or false with what is wrong
 * appended to `why`.
 */
bool resume_check(struct fs *root, const struct report *boot, bool require_display,
		  struct str *why) __attribute__((nonnull, warn_unused_result));

/* What was found last; not `known` if nothing was. */
void resume_load(struct fs *root, struct resume *ret) __attribute__((nonnull));
int resume_save(struct fs *root, const struct resume *resume)
	__attribute__((nonnull, warn_unused_result));
