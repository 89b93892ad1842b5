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
