/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Graphics cards: a display-class function with its companions (audio, USB, UCSI and the
 * like), found by device links, by slot, and by the card's own switch, never by a pattern
 * of addresses; and whether they can be claimed.
 */
#pragma once

#include "iommu.h"
#include "pci.h"
#include "shape.h"

#define CARD_MAX_FUNCTIONS 16
#define CARD_MAX_CONNECTORS 16

struct card_function {
	struct pci_function function;
	struct pci_path path;
	struct pci_config config; /* serial number where it can be read */
	/* of libpci's database, without control characters; never empty */
	char name[128];
	int group; /* number, -1: none */
	bool unique; /* nothing else in the machine has its ids, subsystem and class */
};

enum card_verdict {
	CARD_CLAIMABLE,
	CARD_CLAIMED, /* on vfio-pci now */
	CARD_E_NO_IOMMU,
	CARD_E_GROUP, /* not viable */
	CARD_E_LAST_DISPLAY, /* the only display: only with --no-display-ok */
	CARD_E_NEEDED, /* the machine lives on a function of it */
	CARD_E_UNREADABLE,
};

struct card {
	struct card_function functions[CARD_MAX_FUNCTIONS]; /* the display is the first */
	size_t n;
	/* the firmware's: its memory holds the framebuffer, or boot_vga */
	bool boot_display;
	bool boot_vga;
	char connectors[CARD_MAX_CONNECTORS][32]; /* connected ones: "HDMI-A-1" */
	size_t n_connectors;
	struct shape shape;
	enum card_verdict verdict;
	char detail[256]; /* in words: can be claimed, or why not and what to do */
};

struct cards {
	struct card *cards; /* sorted by the display's address */
	size_t n;
	struct pci_list all; /* every function of the machine */
};

/* Returns 0 or a negative errno; on success the caller calls cards_finish(). */
int cards_scan(struct fs *root, struct cards *ret)
	__attribute__((nonnull, warn_unused_result));
void cards_finish(struct cards *cards) __attribute__((nonnull));

struct shape_panels cards_panels(const struct cards *cards) __attribute__((nonnull));

/* Any one function, as it would be a companion: for what is not a graphics card. */
int card_function_read(struct fs *root, const struct pci_list *all,
		       const struct pci_function *function, struct card_function *ret)
	__attribute__((nonnull, warn_unused_result));
