/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has functions open that vfio-pci has: a VFIO group, or a VFIO device (iommufd).
 */
#pragma once

#include "holders.h"
#include "pci.h"

/* Appends every process that does. */
void users_find(struct fs *root, const struct pci_address *addresses, size_t n,
		struct holders *ret) __attribute__((nonnull));
