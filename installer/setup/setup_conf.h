/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The text of /etc/vfio-claim.conf with a claim in it, every other byte left as its owner
 * wrote it. claims.h takes claims out.
 */
#pragma once

#include "card.h"
#include "conf.h"

/*
 * What is there now, as early boot would read it. Returns 0; -ENOENT if there is none; or
 * another negative errno with `why`, which says the line.
 */
int setup_conf_load(struct fs *root, struct conf *ret, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* Where it is, the line, and what is wrong with it. */
void setup_conf_explain(const struct conf_error *error, struct str *why)
	__attribute__((nonnull));

/* The others return heap text, or NULL for lack of memory. */

/*
 * With this claim at its end, and no other of the name, of which only the settings are
 * kept. `existing`, and `before`, which is the same parsed, may be NULL.
 */
char *setup_conf_with(const char *existing, const struct conf *before, const char *name,
		      const struct card_function *const *functions, size_t n)
	__attribute__((nonnull(3, 4), warn_unused_result));

/* With require-display = no. */
char *setup_conf_without_display(const char *existing)
	__attribute__((nonnull, warn_unused_result));
