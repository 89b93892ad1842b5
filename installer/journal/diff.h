/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unified diffs, as diff -u prints them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

struct diff_side {
	const char *name; /* after --- and +++ */
	const char *text; /* NULL: no such file */
	size_t len;
};

/*
 * Prints nothing if both are the same. Control characters become '?': what stands in a
 * file must not drive somebody's terminal. Returns 0 or -ENOMEM.
 */
int diff_print(FILE *out, const struct diff_side *before, const struct diff_side *after,
	       bool colour) __attribute__((nonnull, warn_unused_result));
