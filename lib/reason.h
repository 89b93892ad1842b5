/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Outcomes and reason codes. Their names stand in the report and in the man pages; tools
 * outside rely on them.
 */
#pragma once

enum outcome {
	OUTCOME_KEPT, /* the host has everything */
	OUTCOME_HELD, /* overridden, not bound: the record is to be read first */
	OUTCOME_PARTIAL, /* some claims */
	OUTCOME_CLAIMED,
};

enum reason {
	REASON_NONE,
	REASON_OFF,
	REASON_SAFE_MODE,
	REASON_CONFIG_ERROR,
	REASON_IOMMU_INACTIVE,
	REASON_NO_IOMMU_MODE,
	REASON_DEVICE_ABSENT,
	REASON_DEVICE_CHANGED,
	REASON_DEVICE_AMBIGUOUS,
	REASON_DRY_RUN,
	REASON_GROUP_NOT_VIABLE,
	REASON_NOT_AN_ENDPOINT,
	REASON_LAST_DISPLAY,
	REASON_RECORD_UNAVAILABLE,
	REASON_MODULE_UNAVAILABLE,
	REASON_UNBIND_FAILED,
	REASON_BIND_FAILED,
	REASON_DEADLINE,
	REASON_COUNT,
};

const char *outcome_name(enum outcome outcome) __attribute__((returns_nonnull));
/* "" for REASON_NONE. */
const char *reason_name(enum reason reason) __attribute__((returns_nonnull));
