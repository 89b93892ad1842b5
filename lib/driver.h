/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which driver has a function. With tune.h the only writer below sys/bus/pci.
 *
 * Kernel facts (Documentation/ABI/testing/sysfs-bus-pci, drivers/base/bus.c):
 * driver_override only restricts matching, it neither unbinds nor loads; it is cleared by
 * a newline; drivers_probe reports success although nothing bound. So whoever writes
 * reads back.
 */
#pragma once

#include "pci.h"

/* 0 with the driver's name, empty if there is none, or a negative errno. */
int driver_current(struct fs *fs, struct pci_address address,
		   char ret[static PCI_DRIVER_LEN])
	__attribute__((nonnull, warn_unused_result));

/* 0 with the override, empty if there is none, or a negative errno. */
int driver_override_read(struct fs *fs, struct pci_address address,
			 char ret[static PCI_DRIVER_LEN])
	__attribute__((nonnull, warn_unused_result));

/* Sets the override; an empty name clears it. */
int driver_override_write(struct fs *fs, struct pci_address address, const char *name)
	__attribute__((nonnull, warn_unused_result));

/* Real errors: -ENODEV no match, -EBUSY bound already, -EAGAIN deferred. */
int driver_bind(struct fs *fs, struct pci_address address, const char *driver)
	__attribute__((nonnull, warn_unused_result));
int driver_unbind(struct fs *fs, struct pci_address address, const char *driver)
	__attribute__((nonnull, warn_unused_result));

/* Lets any loaded driver that matches take the function. Success says nothing. */
int driver_probe(struct fs *fs, struct pci_address address)
	__attribute__((nonnull, warn_unused_result));

/* True if the driver is loaded, or built in. */
bool driver_present(struct fs *fs, const char *driver) __attribute__((nonnull));

/* True if vfio lets a group be used in which this driver holds a function. */
bool driver_vfio_accepts(const char *driver) __attribute__((nonnull));
