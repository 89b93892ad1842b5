/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the devices can have what the configuration says is set before binding, judged
 * as at boot, before the boot.
 */
#pragma once

#include "machine.h"
#include "tune.h"

typedef void offered_fn(void *arg, enum tune result, const char *text);

/*
 * Calls `fn` for every setting of a function that was found which is not offered, with
 * what is, and once where claims disagree. Returns how many settings there are.
 */
unsigned offered_check(struct fs *root, const struct conf *conf,
		       const struct machine *machine, offered_fn *fn, void *arg)
	__attribute__((nonnull(1, 2, 3, 4)));
