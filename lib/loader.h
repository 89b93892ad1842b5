/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Loading kernel modules; behind a function pointer, so that tests can put their model
 * in.
 */
#pragma once

#include "fs.h"

struct module_loader {
	/*
	 * Loads a module and what it depends on. Returns 0 or a negative errno. 0 is no
	 * proof: the caller looks whether the driver is there.
	 */
	int (*load)(struct module_loader *loader, const char *name);
	struct fs *fs;
	const char *release;
	/* of vfio-pci, behind those of modprobe.d: "disable_vga=1"; up to a NULL */
	const char *parameters[3];
};
