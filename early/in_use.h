/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Whether a driver may be made to let go of a function. For early boot: no words, and
 * whatever is not known counts as a use.
 */
#pragma once

#include "pci.h"

/*
 * False only for a display, audio or USB function of which no process has a device node
 * open and no USB device hangs on it.
 */
bool in_use(struct fs *root, const struct pci_function *f)
	__attribute__((nonnull, warn_unused_result));
