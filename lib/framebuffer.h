/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The firmware's framebuffer (efifb, vesafb, simpledrm), when it lies in the memory of a
 * card that goes to a guest.
 *
 * vfio-pci evicts it by itself for VGA-class functions since Linux 6.0
 * (vfio_pci_vga_init(), aperture_remove_conflicting_pci_devices()). Other display classes
 * and older kernels need help, or the guest does not get the card's memory.
 */
#pragma once

#include "pci.h"

struct framebuffer {
	char driver[32]; /* of the platform bus; empty: none to release */
	char device[48];
};

/* True if the kernel leaves it to us. `release` as uname -r. */
bool framebuffer_needs_release(const struct pci_ids *ids, const char *release)
	__attribute__((nonnull));

/* True if /proc/iomem calls a firmware's framebuffer so. */
bool framebuffer_named(const char *name) __attribute__((nonnull));

/*
 * The next line of /proc/iomem: "    c0000000-c0ffffff : 0000:01:00.0", with two blanks
 * more for what lies inside. Cuts `*iomem` up, as strsep() does; false at its end.
 */
bool framebuffer_next(char **iomem, size_t *ret_blanks, const char **ret_name)
	__attribute__((nonnull, warn_unused_result));

/*
 * Finds the one that lies in memory of this function: /proc/iomem nests it below the
 * function. Returns 0, with an empty *ret if there is none, or a negative errno.
 */
int framebuffer_find(struct fs *fs, struct pci_address address, struct framebuffer *ret)
	__attribute__((nonnull, warn_unused_result));

/* True if there is one and it is still bound. */
bool framebuffer_present(struct fs *fs, const struct framebuffer *fb)
	__attribute__((nonnull));

int framebuffer_release(struct fs *fs, const struct framebuffer *fb)
	__attribute__((nonnull, warn_unused_result));
/* 0 if it is bound again: read back, as a probe can fail with any error. */
int framebuffer_restore(struct fs *fs, const struct framebuffer *fb)
	__attribute__((nonnull, warn_unused_result));
