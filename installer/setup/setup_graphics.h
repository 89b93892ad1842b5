/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Others who switch graphics: what stands against the choice in the mode that they are
 * set to, and the command that sets another. Nothing of it is run.
 */
#pragma once

#include "fs.h"
#include "setup_choose.h"

struct setup_proposal {
	const char *title; /* of doctor's check */
	char *evidence; /* who, in which mode, and what that does */
	char *mend; /* what to type before the reboot */
};

struct setup_proposals {
	struct setup_proposal *all;
	size_t n;
};

/*
 * As doctor finds it. Returns 0 or -ENOMEM; on success the caller calls
 * setup_proposals_finish().
 */
int setup_graphics(struct fs *root, const struct setup_choice *choice,
		   struct setup_proposals *ret)
	__attribute__((nonnull, warn_unused_result));
void setup_proposals_finish(struct setup_proposals *proposals) __attribute__((nonnull));
