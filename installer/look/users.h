/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has a claimed function open: its VFIO group, or its VFIO device (iommufd).
 */
#pragma once

#include "report.h"

/* True if somebody has; the first that is found is appended to `who`. */
bool users_find(struct fs *root, const struct report *boot,
		const struct report_claim *claim, struct str *who)
	__attribute__((nonnull));
