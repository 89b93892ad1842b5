/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of earlier boots: how many were not confirmed, and whether this one
 * equals the last one that was.
 */
#pragma once

#include <stdbool.h>

enum record_kind {
	RECORD_NONE,
	RECORD_EFI,
	RECORD_PARTITION,
};

struct record {
	enum record_kind kind; /* NONE: no boot can be counted */
	unsigned attempts;
	bool confirmed;
};
