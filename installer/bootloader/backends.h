/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include "bootloader.h"

extern const struct bootloader bootloader_grub_default, bootloader_grub_drop_in,
	bootloader_grubby, bootloader_kernel_cmdline, bootloader_kernelstub,
	bootloader_limine, bootloader_proxmox, bootloader_refind, bootloader_rpm_ostree,
	bootloader_uki_dracut, bootloader_uki_mkinitcpio;
