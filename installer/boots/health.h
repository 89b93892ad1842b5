/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a boot is good: the claim holds, and the host has the display that it requires.
 */
#pragma once

#include "report.h"

/* False, with what became of the function, which was found. */
typedef bool health_fn(void *arg, const struct report_function *f, struct str *what);

/*
 * Asks for each function that this boot has claimed; one that is optional and was not
 * there is none of them, and one that was pulled out since is not as it was. True, or
 * false with the first that is not as it was appended to `why`.
 */
bool health_each(const struct report *boot, health_fn *fn, void *arg, struct str *why)
	__attribute__((nonnull(1, 2, 4)));

/* True, or false with what is wrong appended to `why`. */
bool health_check(struct fs *root, const struct report *boot, bool require_display,
		  struct str *why) __attribute__((nonnull));
