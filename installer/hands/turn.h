/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * One at a time: the services and a person must not both give and take.
 */
#pragma once

#include "fs.h"

/*
 * Returns a descriptor, to be closed when the turn is over; -EAGAIN if it is another's
 * and `wait` is false; or another negative errno, and then nobody can be kept out. A
 * child that is stuck in the kernel does not keep the turn.
 */
int turn_take(struct fs *root, bool wait) __attribute__((nonnull, warn_unused_result));

/*
 * Nothing that comes late is claimed meanwhile. Waits for what is being claimed just now,
 * a little longer than that may take. Returns 0; -EBUSY if it has no end; or another
 * negative errno, and then nobody can be kept out. In a captured machine nothing comes.
 */
int turn_keep_out(struct fs *root) __attribute__((nonnull, warn_unused_result));

/* Ends that. A worker gives up its copy: stuck in the kernel it would keep it. */
void turn_let_in(void);
