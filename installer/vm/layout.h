/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a guest's devices sit: the one place that the XML and the QEMU command line both
 * follow.
 */
#pragma once

#include "claimed.h"
#include "vm.h"

/* Root ports as libvirt makes them: from 00:02.0 on, eight functions to a slot. */
struct layout_port {
	unsigned index; /* from 1; also the chassis, and "pci.N" */
	unsigned slot, function; /* on the root bus */
	unsigned port; /* number in its slot capabilities */
	bool multifunction; /* the first of several */
};

/* Buses by their port's index, 0: there is no such device. */
struct layout {
	unsigned n_ports;
	unsigned claimed; /* of the first guest device; the others follow */
	unsigned usb, network, shared_memory;
	unsigned disks; /* of the first virtio disk; the others follow */
};

#define LAYOUT_SOUND_SLOT 0x1b /* on the root bus, as on Q35 boards */
#define LAYOUT_VIDEO_SLOT 0x01

void layout_make(const struct vm *vm, const struct claimed *claimed, struct layout *ret)
	__attribute__((nonnull));

struct layout_port layout_port(const struct layout *layout, unsigned index)
	__attribute__((nonnull));

/* Whether further functions follow function 0 of a guest device. */
bool layout_multifunction(const struct claimed *claimed, const struct claimed_function *f)
	__attribute__((nonnull));

/* "hda", "vda"… of a disk or an ISO, and its unit on SATA. */
struct layout_drive {
	char name[8];
	unsigned unit; /* on SATA */
};
void layout_drive(const struct vm *vm, size_t i, bool iso, struct layout_drive *ret)
	__attribute__((nonnull));
