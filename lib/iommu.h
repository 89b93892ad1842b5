/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Is DMA of a function really translated, and what shares its group?
 *
 * The proof (Documentation/ABI/testing/sysfs-kernel-iommu_groups): an IOMMU is
 * registered, the function has a group, the group is not one that vfio made up (no-IOMMU
 * mode), and its domain type is one that a kernel driver can have.
 */
#pragma once

#include "pci.h"

enum iommu_proof {
	IOMMU_PROVEN,
	IOMMU_E_INACTIVE, /* none, or not for this function */
	IOMMU_E_NO_IOMMU, /* vfio's unsafe mode */
};

struct iommu_group {
	int id; /* -1: none */
	enum iommu_proof proof;
	char detail[96]; /* in words, unless proven */
	struct pci_address *members; /* sorted; functions only */
	size_t n;
};

/* True if any IOMMU is registered with the kernel. */
bool iommu_present(struct fs *fs) __attribute__((nonnull));

/* True if vfio was told to do without one. Unreadable counts as told. */
bool iommu_unsafe_mode(struct fs *fs) __attribute__((nonnull));

/* The number of a function's group, or a negative errno; -ENOENT: it has none. */
int iommu_group_number(struct fs *fs, struct pci_address address)
	__attribute__((nonnull, warn_unused_result));

/*
 * Reads the group of a function. A missing proof is a result, not an error. Returns 0 or
 * -ENOMEM; on success the caller calls iommu_group_finish().
 */
int iommu_group_read(struct fs *fs, struct pci_address address, struct iommu_group *ret)
	__attribute__((nonnull, warn_unused_result));
void iommu_group_finish(struct iommu_group *group) __attribute__((nonnull));

/*
 * Why there is none: the firmware's tables (DMAR, IVRS) tell "off there" from "off in the
 * kernel".
 */
const char *iommu_missing_hint(struct fs *fs) __attribute__((nonnull, returns_nonnull));
