/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the table has, for initramfs.c alone.
 */
#pragma once

#include "initramfs.h"

extern const struct initramfs initramfs_tools, initramfs_dracut, initramfs_mkinitcpio;

/* Those that are recognised and refused: our hooks for them do not exist yet. */
extern const struct initramfs initramfs_booster, initramfs_tiny_initramfs,
	initramfs_mkinitfs;
