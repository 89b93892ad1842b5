/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Makes a decided machine: its file, its disks, its domain. All of it or nothing.
 */
#pragma once

#include "claimed.h"
#include "vm.h"

struct create_how {
	struct fs *root;
	bool dry_run; /* only print what would be done */
	bool captured; /* write the file alone, print the rest */
	bool quiet;
};

/* False with `why`; then nothing of it is left. */
bool create_machine(const struct create_how *how, const struct vm *vm,
		    const struct claimed *claimed, struct str *why)
	__attribute__((nonnull, warn_unused_result));
