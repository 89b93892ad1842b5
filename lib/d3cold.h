/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether the firmware can cut a function's power.
 *
 * Facts: what a port's _PR3 switches off is whatever is behind it (ACPI 6.5, 7.3.11), so
 * any port of the way will do: a card with a switch of its own has it above the switch.
 * drivers/acpi/power.c shows it as power_resources_D3hot.
 */
#pragma once

#include "pci.h"

enum d3cold {
	D3COLD_UNKNOWN, /* no ACPI node of a port above it */
	D3COLD_NEVER, /* the firmware has no power resource to switch off */
	D3COLD_CAN,
};

enum d3cold d3cold_of(struct fs *fs, struct pci_address address)
	__attribute__((nonnull, warn_unused_result));
