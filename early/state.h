/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What start hands to settle, and both to event: a file in /run, which all are the same
 * binary to.
 */
#pragma once

#include "start.h"

#define STATE_PATH "run/vfio-claim/state"

/* Returns 0 or a negative errno. */
int state_save(struct fs *root, const struct start_state *state)
	__attribute__((nonnull, warn_unused_result));

/* Returns 0, -ENOENT if there is none, or another negative errno. */
int state_load(struct fs *root, struct start_state *ret)
	__attribute__((nonnull, warn_unused_result));

/*
 * Takes it away: nobody settles twice. Returns 0, -ENOENT if there is nothing to settle,
 * or another negative errno.
 */
int state_take(struct fs *root, struct start_state *ret)
	__attribute__((nonnull, warn_unused_result));

/*
 * Only one changes it at a time. Waits 12 seconds for it; returns a descriptor, which
 * holds the lock while it is open, or a negative errno.
 */
int state_lock(struct fs *root) __attribute__((nonnull, warn_unused_result));
