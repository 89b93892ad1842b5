/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVIDIA's drivers stopped with "Code 43" where they saw a hypervisor; from release 465
 * (April 2021) on they accept one.
 */
#pragma once

#include "pci.h"

enum nvidia {
	NVIDIA_NONE, /* another maker's */
	NVIDIA_OLD, /* its last driver is older: the hypervisor has to be hidden */
	NVIDIA_NEW,
	NVIDIA_UNKNOWN,
};

/*
 * By the chip, with which the PCI database's name begins: "NVIDIA Corporation GF114
 * [GeForce GTX 560 Ti]". Kepler has a driver 47x; Fermi's last is 391, and those before
 * have older ones still.
 */
enum nvidia nvidia_of(const struct pci_ids *ids, const char *name)
	__attribute__((nonnull));
