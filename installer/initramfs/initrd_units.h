/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The units that call vfio-claim-early in images with systemd, whoever built them.
 */
#pragma once

#include "image.h"

#define INITRD_UNITS 2

struct initrd_units {
	bool systemd; /* it is in the image */
	bool there[INITRD_UNITS], wanted[INITRD_UNITS];
};

void initrd_units_see(struct initrd_units *units, const struct image_entry *entry)
	__attribute__((nonnull));

/* Names what is missing with initramfs_miss(). */
void initrd_units_judge(const struct initrd_units *units, struct str *why)
	__attribute__((nonnull));
