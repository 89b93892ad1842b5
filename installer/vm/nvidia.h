/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * NVIDIA's driver for Windows stopped with "Code 43" where it saw a hypervisor; from 465
 * (April 2021) on it accepts one.
 */
#pragma once

#include <stdbool.h>

#include "pci.h"

#define NVIDIA_VENDOR 0x10de

/*
 * Whether the card's last driver is older than that, so that the hypervisor has to be
 * hidden from it: chips before Kepler, by the code in the PCI database's name ("NVIDIA
 * Corporation GF114 [GeForce GTX 560 Ti]"; Fermi's last driver is 391).
 */
bool nvidia_needs_hiding(const struct pci_ids *ids, const char *name)
	__attribute__((nonnull));
