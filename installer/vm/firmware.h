/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * UEFI firmware for guests, from the descriptors that QEMU defines for it
 * (docs/interop/firmware.json), which libvirt reads as well.
 */
#pragma once

#include "fs.h"

struct firmware {
	char *code, *code_format; /* "raw", "qcow2" */
	char *variables; /* the template that each guest's own are copied from */
	bool enrolled; /* Microsoft's keys are in it: Secure Boot is on */
};

/*
 * The first in the descriptors' order that fits Q35 and is there: with Secure Boot, with
 * keys rather than without; or without. Returns 0, -ENOENT, or -ENOMEM. On success the
 * caller calls firmware_finish().
 */
int firmware_find(struct fs *root, bool secure_boot, struct firmware *ret)
	__attribute__((nonnull, warn_unused_result));
void firmware_finish(struct firmware *firmware) __attribute__((nonnull));
