/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What changed hands since early boot: for each claim an empty file in /run/vfio-claim,
 * claimed.NAME or released.NAME.
 */
#pragma once

#include "machine.h"
#include "report.h"

enum changed {
	CHANGED_CLAIMED,
	CHANGED_RELEASED,
};

/* What cannot be noted is not known later; that is no reason to refuse. */
void changed_note(struct fs *root, const char *name, enum changed how)
	__attribute__((nonnull));

/*
 * Makes of the boot's report one of now: what was released since is kept, and what the
 * configuration names is claimed where it was claimed since, or is on vfio-pci as a
 * whole.
 */
void changed_apply(struct fs *root, struct report *report) __attribute__((nonnull));

/* Whether the functions of a claim, as far as they are there, are all on vfio-pci. */
bool changed_is_taken(const struct machine_function *functions, unsigned n)
	__attribute__((nonnull));
