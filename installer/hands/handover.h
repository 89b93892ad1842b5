/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing hands while the system runs: the host gives a claim's functions to vfio-pci,
 * or takes them back. As at boot: judged by the same plan, all or nothing, with a
 * deadline.
 */
#pragma once

#include "holders.h"
#include "report.h"

enum handover {
	HANDOVER_DONE,
	HANDOVER_NOTHING, /* it is so already */
	HANDOVER_IN_USE,
	HANDOVER_REFUSED, /* there is no such claim, or the plan refuses it */
	HANDOVER_FAILED, /* undone; or stuck in the kernel, which is said */
	HANDOVER_INTERRUPTED, /* while it was waited for: nothing was changed */
};

/* For scripts: "done", "nothing", "in-use", "refused", "failed", "interrupted". */
const char *handover_name(enum handover result) __attribute__((returns_nonnull));

/*
 * `what` says in words what became of it, and what to do about it; `holders` who has the
 * functions, as far as that was looked for.
 */
typedef enum handover handover_fn(struct fs *root, const char *name, bool dry_run,
				  struct holders *holders, struct str *what);

handover_fn handover_claim, handover_release;
