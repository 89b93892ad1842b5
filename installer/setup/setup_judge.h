/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a claim must not take, and what early boot would say of it.
 */
#pragma once

#include <stdio.h>

#include "setup_choose.h"
#include "str.h"

/* 0, or -EPERM with `why` if the machine does not run without a function of it. */
int setup_judge_needed(struct fs *root, const struct setup_choice *choice,
		       struct str *why) __attribute__((nonnull, warn_unused_result));

/*
 * As far as early boot's answer to a configuration with the claim can be known before the
 * reboot. 0 with what is to be told in `notes`, or -EINVAL or -EPERM with `why`.
 */
int setup_judge(struct fs *root, const struct setup_choice *choice, const char *text,
		FILE *notes, struct str *why)
	__attribute__((nonnull, warn_unused_result));
