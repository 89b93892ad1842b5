/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What early boot and userspace have said of this boot: report.json and confirm.json in
 * /run/vfio-claim.
 */
#pragma once

#include "report.h"

#define CONFIRM_PATH "run/vfio-claim/confirm.json"
#define TRIAL_PATH "run/vfio-claim/trial" /* empty; there while a trial runs */

/* What became of this boot's claim in userspace. */
enum verdict {
	VERDICT_NONE, /* nothing yet */
	VERDICT_CONFIRMED,
	VERDICT_RELEASED,
	VERDICT_IN_USE, /* to be released, but somebody has a device open */
	VERDICT_FAILED, /* could not be given back */
};

struct confirmation {
	enum verdict verdict;
	bool by_owner; /* RELEASED on request: nothing is wrong */
	char detail[512];
};

const char *verdict_name(enum verdict verdict) __attribute__((returns_nonnull));

/*
 * Returns 0; -ENOENT if early boot left no report, -EPROTO if it is none, or another
 * negative errno.
 */
int boot_load(struct fs *root, struct report *ret)
	__attribute__((nonnull, warn_unused_result));

/* Whether nothing of a claim is there, and all of it is optional: nothing is wrong. */
bool boot_awaits(const struct report *boot, const struct report_claim *claim)
	__attribute__((nonnull));

/* Whether every claim that was kept is awaited, and there is one. */
bool boot_only_awaits(const struct report *boot) __attribute__((nonnull));

/* VERDICT_NONE if there is no such file, or none that makes sense. */
void boot_load_confirmation(struct fs *root, struct confirmation *ret)
	__attribute__((nonnull));

int boot_save_confirmation(struct fs *root, const struct confirmation *confirmation)
	__attribute__((nonnull, warn_unused_result));
