/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a claim takes from the host, and what the host can then still show something on.
 * Whoever counts displays asks here.
 */
#pragma once

#include "pci.h"

/*
 * False for a 3D controller (class 0302): it has no outputs. One that a laptop's panel
 * hangs on after all is taken for none, so that the host keeps the other card.
 */
bool display_can_show(const struct pci_ids *ids) __attribute__((nonnull));

/* A display-class function that no driver of vfio's has. */
bool display_is_hosts(const struct pci_function *f) __attribute__((nonnull));

/* Both: the host has a display while it keeps this one. */
bool display_serves_host(const struct pci_function *f) __attribute__((nonnull));
