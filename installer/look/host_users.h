/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What on the host uses functions through their drivers: a process that has one of their
 * device nodes open or mapped, a file system that is mounted, a network interface that is
 * up, a module that does not let go.
 */
#pragma once

#include "holders.h"
#include "pci.h"

/*
 * Appends everything that does, and notes of what does not stand in the way: a console, a
 * device that sleeps. Processes of others are seen by root only; the rest is counted.
 */
void host_users_find(struct fs *root, const struct pci_address *addresses, size_t n,
		     struct holders *ret) __attribute__((nonnull));
