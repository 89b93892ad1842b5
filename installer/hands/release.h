/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Gives claims back to the host without a reboot.
 */
#pragma once

#include "boot.h"
#include "holders.h"

/* Who has a claim's functions open. If somebody has, `what` says so. */
bool release_held(struct fs *root, const struct report *boot,
		  const struct report_claim *claim, struct holders *ret, struct str *what)
	__attribute__((nonnull, warn_unused_result));

enum release_how {
	RELEASE_SURELY, /* the host keeps what no driver of it takes */
	/* vfio-pci gets it all again if a display's driver does not come */
	RELEASE_WHOLE,
};

/*
 * Gives a claim back, unless somebody has it open, and waits a few seconds for the host's
 * driver to take the display. Bounded: what hangs in the kernel is left there, and said.
 * What became of it is appended to `what`. Returns VERDICT_RELEASED, _IN_USE or _FAILED.
 */
enum verdict release_claim(struct fs *root, const struct report *boot,
			   const struct report_claim *claim, enum release_how how,
			   struct holders *ret, struct str *what)
	__attribute__((nonnull, warn_unused_result));

/* RELEASE_SURELY for every claim of this boot; returns the worst of their verdicts. */
enum verdict release_all(struct fs *root, const struct report *boot, struct str *what)
	__attribute__((nonnull, warn_unused_result));
