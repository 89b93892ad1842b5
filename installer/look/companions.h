/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What belongs to a display: functions linked to it, in its slot, or behind the switch
 * that is the card's own.
 */
#pragma once

#include "pci.h"

#define COMPANIONS_MAX 15

struct companions {
	struct pci_address addresses[COMPANIONS_MAX]; /* sorted, without the display */
	size_t n;
};

/*
 * True if a display is the second of another one's card: in one slot with it, and no
 * virtual function.
 */
bool companions_second_display(struct fs *root, const struct pci_list *all,
			       const struct pci_function *display)
	__attribute__((nonnull));

/* Returns 0 or a negative errno. */
int companions_find(struct fs *root, const struct pci_list *all,
		    const struct pci_function *display, struct companions *ret)
	__attribute__((nonnull, warn_unused_result));
