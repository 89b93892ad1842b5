/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a boot is good: the claim holds, and the host has the display that it requires.
 */
#pragma once

#include "report.h"

/* True, or false with what is wrong appended to `why`. */
bool health_check(struct fs *root, const struct report *boot, bool require_display,
		  struct str *why) __attribute__((nonnull));
