/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "reason.h"

const char *outcome_name(enum outcome outcome)
{
	static const char *const names[] = {
		[OUTCOME_KEPT] = "kept",
		[OUTCOME_HELD] = "held",
		[OUTCOME_PARTIAL] = "partial",
		[OUTCOME_CLAIMED] = "claimed",
	};

	return names[outcome];
}

const char *reason_name(enum reason reason)
{
	static const char *const names[REASON_COUNT] = {
		[REASON_NONE] = "",
		[REASON_OFF] = "off",
		[REASON_SAFE_MODE] = "safe-mode",
		[REASON_CONFIG_ERROR] = "config-error",
		[REASON_IOMMU_INACTIVE] = "iommu-inactive",
		[REASON_NO_IOMMU_MODE] = "no-iommu-mode",
		[REASON_DEVICE_ABSENT] = "device-absent",
		[REASON_DEVICE_CHANGED] = "device-changed",
		[REASON_DEVICE_AMBIGUOUS] = "device-ambiguous",
		[REASON_DRY_RUN] = "dry-run",
		[REASON_GROUP_NOT_VIABLE] = "group-not-viable",
		[REASON_NOT_AN_ENDPOINT] = "not-an-endpoint",
		[REASON_LAST_DISPLAY] = "last-display",
		[REASON_RECORD_UNAVAILABLE] = "record-unavailable",
		[REASON_MODULE_UNAVAILABLE] = "module-unavailable",
		[REASON_UNBIND_FAILED] = "unbind-failed",
		[REASON_BIND_FAILED] = "bind-failed",
		[REASON_DEADLINE] = "deadline",
	};

	return names[reason];
}
