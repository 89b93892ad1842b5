/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What on the host uses a function through its driver: a process that has one of its
 * device nodes open, a file system that is mounted, a network interface that is up.
 */
#pragma once

#include "pci.h"

/*
 * True if something does; the first that is found is appended to `who`, with its process.
 * Processes of others are seen by root only.
 */
bool host_users_find(struct fs *root, struct pci_address address, struct str *who)
	__attribute__((nonnull, warn_unused_result));
