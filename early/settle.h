/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second stage, once block devices are there and before anybody is asked for a
 * passphrase: for a record on the boot partition, count, then bind or release; and
 * vfio-claim.off there releases everything.
 */
#pragma once

#include "start.h"

/* Goes on from the state that start left; whatever goes wrong ends in the report. */
void settle_run(struct start *start) __attribute__((nonnull));
