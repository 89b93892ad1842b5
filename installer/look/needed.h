/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Functions that the machine lives on: the controllers under its root, its boot
 * partitions and its swap, through partitions, device mapper, md and multi-device btrfs.
 */
#pragma once

#include "pci.h"

struct needed_function {
	struct pci_address address;
	char what[96]; /* "/, /boot, swap" */
};

struct needed {
	struct needed_function *functions; /* sorted by address */
	size_t n, room;
};

/*
 * From /proc/self/mountinfo, /proc/swaps and sysfs. What is not there is nobody's.
 * Returns 0 or -ENOMEM; on success the caller calls needed_finish().
 */
int needed_scan(struct fs *root, struct needed *ret)
	__attribute__((nonnull, warn_unused_result));
void needed_finish(struct needed *needed) __attribute__((nonnull));

/* What lives on it, or NULL. */
const char *needed_find(const struct needed *needed, struct pci_address address)
	__attribute__((nonnull));

/*
 * The same for one function: true with what lives on it appended. -ENOMEM counts as no.
 */
bool needed_by(struct fs *root, struct pci_address address, struct str *what)
	__attribute__((nonnull));

/* Whether anything at all is mounted from a disk behind it, or swap; likewise. */
bool needed_mounted(struct fs *root, struct pci_address address, struct str *what)
	__attribute__((nonnull));
