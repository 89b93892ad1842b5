/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gives claims back to the host without a reboot.
 */
#pragma once

#include "boot.h"

/*
 * Releases every claim of this boot that nobody uses, and waits a few seconds for the
 * host's driver to take the display. What became of each is appended to `what`. Returns
 * VERDICT_RELEASED, _IN_USE or _FAILED, the worst of them.
 */
/*
 * The same for one claim. Bounded: what hangs in the kernel is left there, and said.
 */
enum verdict release_claim(struct fs *root, const struct report *boot,
			   const struct report_claim *claim, struct str *what)
	__attribute__((nonnull, warn_unused_result));

enum verdict release_all(struct fs *root, const struct report *boot, struct str *what)
	__attribute__((nonnull, warn_unused_result));
