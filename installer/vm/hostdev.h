/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The PCI functions of the host that a domain gets, and their places in the guest.
 */
#pragma once

#include "pci.h"
#include "tree.h"

#define HOSTDEV_MAX 64

struct hostdev {
	xmlNode *node;
	struct pci_address source;
	bool placed; /* guest is valid */
	struct pci_address guest;
};

/*
 * Those of a domain in their order, at most HOSTDEV_MAX; what has no proper address is
 * left out.
 */
size_t hostdev_list(xmlNode *domain, struct hostdev *ret) __attribute__((nonnull));
const struct hostdev *hostdev_find(const struct hostdev *list, size_t n,
				   struct pci_address source) __attribute__((nonnull));

/* Whether the guest has PCI Express: each device gets a root port. */
bool hostdev_express(xmlNode *domain) __attribute__((nonnull));

/*
 * A place for one more device: a new root port, or, without PCI Express, a free slot of
 * bus 0. *ret is that of its function 0. Returns 0, -ENOSPC if there is no more, or
 * -ENOMEM.
 */
int hostdev_new_slot(xmlNode *domain, struct pci_address *ret)
	__attribute__((nonnull, warn_unused_result));

/* As function `number` of a slot; `several`: the device has more. NULL: no memory. */
xmlNode *hostdev_add(xmlNode *domain, struct pci_address source, struct pci_address slot,
		     unsigned number, bool several)
	__attribute__((nonnull, warn_unused_result));

/* The <address> of what is at a place in the guest, or NULL. */
xmlNode *hostdev_guest_at(xmlNode *domain, struct pci_address guest)
	__attribute__((nonnull));

/* False: no memory. */
bool hostdev_set_source(xmlNode *node, struct pci_address source)
	__attribute__((nonnull, warn_unused_result));

/* Removes them, and the root ports that this leaves empty while none is behind them. */
void hostdev_remove(xmlNode *domain, const struct hostdev *list, size_t n)
	__attribute__((nonnull));
