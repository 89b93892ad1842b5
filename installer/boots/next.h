/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the next boot will do, by the same plan and the same record as early boot: of this
 * kernel, with /etc/vfio-claim.conf as it is now, and without vfio_claim= on the command
 * line but what the boot menu's entry of a claim puts there.
 */
#pragma once

#include "boot.h"
#include "plan.h"
#include "store.h"

enum next_record {
	NEXT_NO_RECORD, /* there is no place for one */
	NEXT_UNREADABLE, /* error says why; -EPERM: only root could say */
	NEXT_TRIAL, /* it would be counted */
	NEXT_CONFIRMED,
	NEXT_SAFE_MODE,
};

struct next {
	bool configured; /* there is a configuration that can be used */
	struct conf_error conf_error; /* otherwise */
	bool conf_missing;
	struct conf conf;
	struct plan plan;
	struct record record; /* with the fingerprint of the next boot */
	enum next_record state;
	int error; /* negative errno of NEXT_UNREADABLE */
};

/*
 * Too large for a stack. `boot` is what early boot said, zeroed if nothing. `entry` is
 * the claim whose entry is chosen; NULL: none.
 */
void next_predict(struct fs *root, const struct report *boot, const char *entry,
		  struct next *ret) __attribute__((nonnull(1, 2, 4)));

/*
 * The same in two steps, for whoever needs the machine, too: the configuration, then what
 * is decided about a machine that was inspected with ret->conf. False if there is no
 * configuration that can be used. The machine is then as early boot will find it: without
 * the drivers that took what is claimed now.
 */
bool next_configure(struct fs *root, struct next *ret)
	__attribute__((nonnull, warn_unused_result));
void next_decide(struct fs *root, const struct report *boot, const char *entry,
		 struct machine *machine, struct next *ret)
	__attribute__((nonnull(1, 2, 4, 5)));

/* What the plan alone says, whatever is on record. */
void next_plan(const char *entry, struct machine *machine, struct next *ret)
	__attribute__((nonnull(2, 3)));
