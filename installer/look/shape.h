/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a graphics card is in its machine: what it shows pictures on, and how its power is
 * cut. For hybrid laptops, and cards in a box.
 */
#pragma once

#include "displays.h"

#define SHAPE_MAX_OUTPUTS 16

enum shape_power {
	SHAPE_POWER_UNKNOWN, /* no ACPI node of a port above it */
	SHAPE_POWER_STAYS, /* the firmware has no power resource to switch off */
	SHAPE_POWER_FORBIDDEN, /* it has, but d3cold_allowed is 0 */
	SHAPE_POWER_CUT, /* D3cold: no power at all while nobody uses it */
};

/* Connectors are known where a driver of DRM's has the card. */
struct shape {
	bool controller; /* class 0302: made to have no outputs of its own */
	bool headless; /* class 0380, and its driver has no connector for it */
	bool removable; /* behind a port that leads out of the machine */
	bool panel; /* a connector of the inner panel is its */
	bool panel_on; /* and the panel is at that one */
	char outputs[SHAPE_MAX_OUTPUTS]
		    [32]; /* outer ones, connected or not: "HDMI-A-1" */
	size_t n_outputs;
	char state[16]; /* "D0", "D3cold"; empty: not known */
	enum shape_power power;
};

void shape_read(struct fs *root, const struct displays *displays,
		const struct pci_function *display, struct shape *ret)
	__attribute__((nonnull));

/* Connectors of the inner panel in the whole machine: with two, a MUX decides. */
struct shape_panels {
	size_t n, on;
};

void shape_count_panel(const struct shape *shape, struct shape_panels *panels)
	__attribute__((nonnull));
/* Of a MUX, as far as it is known where it has the panel now. */
bool shape_drives_panel(const struct shape *shape, const struct shape_panels *panels)
	__attribute__((nonnull));

/* In words, what is known of it; nothing is a fine answer. */
void shape_describe(const struct shape *shape, const struct shape_panels *panels,
		    struct str *s) __attribute__((nonnull));

/* "unknown", "stays", "forbidden", "cut": for scripts. */
const char *shape_power_name(enum shape_power power) __attribute__((returns_nonnull));
