/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the database of PCI ids calls a function: that of a captured root where it has
 * one, else this machine's. No network, no device is touched.
 */
#pragma once

#include "pci.h"

struct names;

/*
 * Returns 0 or -ENOMEM; a machine without a database gives numbers, as one without libpci
 * does, after a word on stderr. The caller calls names_close().
 */
int names_open(struct fs *root, struct names **ret)
	__attribute__((nonnull, warn_unused_result));
void names_close(struct names *names);

/*
 * "NVIDIA Corporation TU116 [GeForce GTX 1660]", without control characters, never empty.
 */
void names_function(struct names *names, const struct pci_ids *ids, char *buf,
		    size_t size) __attribute__((nonnull));

/*
 * A database of these functions' vendors and devices alone, for another machine to call
 * them the same. The caller frees it; NULL: no memory.
 */
char *names_extract(struct names *names, const struct pci_list *all)
	__attribute__((nonnull, warn_unused_result));
