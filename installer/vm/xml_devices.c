/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "xml_devices.h"

#include <stdlib.h>

#include "layout.h"
#include "str.h"

/* Where a device of ours sits in the guest. */
static void write_address(struct writer *w, unsigned bus, unsigned slot,
			  unsigned function, bool multifunction)
{
	writer_start(w, "address", "type", "pci", "domain", "0x0000", NULL);
	writer_attribute(w, "bus", "0x%02x", bus);
	writer_attribute(w, "slot", "0x%02x", slot);
	writer_attribute(w, "function", "0x%x", function);
	if (multifunction)
		writer_attribute(w, "multifunction", "on");
	writer_close(w);
}

static void write_order(struct writer *w, size_t order)
{
	writer_open(w, "boot");
	writer_attribute(w, "order", "%zu", order);
	writer_close(w);
}

/* ---- disks */

static void write_drive_address(struct writer *w, unsigned unit)
{
	writer_start(w, "address", "type", "drive", "controller", "0", "bus", "0",
		     "target", "0", NULL);
	writer_attribute(w, "unit", "%u", unit);
	writer_close(w);
}

static void write_disk(struct writer *w, const struct vm *vm, const struct layout *layout,
		       size_t i)
{
	const char *format = vm->disk_formats.items[i];
	const bool block = str_equal(format, "block"), virtio = vm->disk_bus == VM_VIRTIO;
	struct layout_drive drive;

	layout_drive(vm, i, false, &drive);
	writer_start(w, "disk", "type", block ? "block" : "file", "device", "disk", NULL);
	writer_empty(w, "driver", "name", "qemu", "type", block ? "raw" : format, "cache",
		     "none", "io", "native", "discard", "unmap",
		     virtio ? "iothread" : NULL, "1", NULL);
	writer_empty(w, "source", block ? "dev" : "file", vm->disks.items[i], NULL);
	writer_empty(w, "target", "dev", drive.name, "bus", vm_bus_names[vm->disk_bus],
		     NULL);
	write_order(w, i + 1);
	if (virtio)
		write_address(w, layout->disks + (unsigned)i, 0, 0, false);
	else
		write_drive_address(w, drive.unit);
	writer_close(w);
}

static void write_iso(struct writer *w, const struct vm *vm, size_t i)
{
	struct layout_drive drive;

	layout_drive(vm, i, true, &drive);
	writer_start(w, "disk", "type", "file", "device", "cdrom", NULL);
	writer_empty(w, "driver", "name", "qemu", "type", "raw", NULL);
	writer_empty(w, "source", "file", vm->isos.items[i], NULL);
	writer_empty(w, "target", "dev", drive.name, "bus", "sata", NULL);
	writer_empty(w, "readonly", NULL);
	write_order(w, vm->disks.n + i + 1);
	write_drive_address(w, drive.unit);
	writer_close(w);
}

/* ---- controllers */

static void write_port(struct writer *w, const struct layout_port *port)
{
	writer_start(w, "controller", "type", "pci", NULL);
	writer_attribute(w, "index", "%u", port->index);
	writer_attribute(w, "model", "pcie-root-port");
	writer_empty(w, "model", "name", "pcie-root-port", NULL);
	writer_open(w, "target");
	writer_attribute(w, "chassis", "%u", port->index);
	writer_attribute(w, "port", "0x%x", port->port);
	writer_close(w);
	write_address(w, 0, port->slot, port->function, port->multifunction);
	writer_close(w);
}

static void write_controllers(struct writer *w, const struct layout *layout)
{
	writer_empty(w, "controller", "type", "pci", "index", "0", "model", "pcie-root",
		     NULL);
	for (unsigned i = 1; i <= layout->n_ports; i++) {
		const struct layout_port port = layout_port(layout, i);

		write_port(w, &port);
	}
	writer_start(w, "controller", "type", "usb", "index", "0", "model", "qemu-xhci",
		     "ports", "15", NULL);
	write_address(w, layout->usb, 0, 0, false);
	writer_close(w);
	writer_empty(w, "controller", "type", "sata", "index", "0", NULL);
}

/* ---- what is passed through */

static void write_function(struct writer *w, const struct vm *vm,
			   const struct claimed *claimed, const struct layout *layout,
			   size_t i)
{
	const struct claimed_function *f = &claimed->functions[i];
	const struct pci_address at = f->function.address;

	writer_start(w, "hostdev", "mode", "subsystem", "type", "pci", "managed", "no",
		     NULL);
	writer_empty(w, "driver", "name", "vfio", NULL);
	writer_open(w, "source");
	writer_open(w, "address");
	writer_attribute(w, "domain", "0x%04x", at.domain);
	writer_attribute(w, "bus", "0x%02x", at.bus);
	writer_attribute(w, "slot", "0x%02x", at.devfn >> 3);
	writer_attribute(w, "function", "0x%x", at.devfn & 7);
	writer_close(w);
	writer_close(w);
	if (i == 0 && vm->rom)
		writer_empty(w, "rom", "file", vm->rom, NULL);
	if (i == 0 && vm->x_vga == VM_YES)
		writer_empty(w, "alias", "name", XML_GPU_ALIAS, NULL);
	write_address(w, layout->claimed + f->device, 0, f->number,
		      layout_multifunction(claimed, f));
	writer_close(w);
}

/* Ports count from 1; the same as on QEMU's command line. */
static void write_usb_port(struct writer *w, size_t port)
{
	writer_start(w, "address", "type", "usb", "bus", "0", NULL);
	writer_attribute(w, "port", "%zu", port);
	writer_close(w);
}

static void write_tablet(struct writer *w)
{
	writer_start(w, "input", "type", "tablet", "bus", "usb", NULL);
	write_usb_port(w, VM_TABLET_PORT);
	writer_close(w);
}

static void write_usb(struct writer *w, const char *id, size_t port)
{
	uint16_t vendor = 0, product = 0;

	(void)!pci_id_parse(id, &vendor, &product);
	writer_start(w, "hostdev", "mode", "subsystem", "type", "usb", "managed", "yes",
		     NULL);
	/* a guest that starts without its mouse is better than none */
	writer_start(w, "source", "startupPolicy", "optional", NULL);
	writer_open(w, "vendor");
	writer_attribute(w, "id", "0x%04x", vendor);
	writer_close(w);
	writer_open(w, "product");
	writer_attribute(w, "id", "0x%04x", product);
	writer_close(w);
	writer_close(w);
	write_usb_port(w, port);
	writer_close(w);
}

static void write_evdev(struct writer *w, const char *path, bool first)
{
	writer_start(w, "input", "type", "evdev", NULL);
	/* a NULL ends the list */
	writer_empty(w, "source", "dev", path, "repeat", "on", first ? "grab" : NULL,
		     "all", NULL);
	writer_close(w);
}

/* ---- the others */

static void write_network(struct writer *w, const struct vm *vm,
			  const struct layout *layout)
{
	const char *colon = strchr(vm->network, ':');
	const bool bridge = str_starts(vm->network, "bridge:");

	if (!layout->network)
		return;
	writer_start(w, "interface", "type",
		     colon ? (bridge ? "bridge" : "network") : "user", NULL);
	writer_empty(w, "mac", "address", vm->mac, NULL);
	if (colon)
		writer_empty(w, "source", bridge ? "bridge" : "network", colon + 1, NULL);
	writer_empty(w, "model", "type", vm_nic_names[vm->nic], NULL);
	write_address(w, layout->network, 0, 0, false);
	writer_close(w);
}

static void write_sound(struct writer *w, const struct vm *vm)
{
	if (vm->sound == VM_SILENT) {
		writer_empty(w, "audio", "id", "1", "type", "none", NULL);
		return;
	}
	writer_start(w, "sound", "model", "ich9", NULL);
	writer_empty(w, "audio", "id", "1", NULL);
	write_address(w, 0, LAYOUT_SOUND_SLOT, 0, false);
	writer_close(w);
	if (vm->sound == VM_SOUND_SPICE)
		writer_empty(w, "audio", "id", "1", "type", "spice", NULL);
	else
		writer_empty(w, "audio", "id", "1", "type", "pulseaudio", "serverName",
			     vm->sound_server, NULL);
}

static void write_display(struct writer *w, const struct vm *vm)
{
	if (vm->display == VM_SPICE) {
		writer_start(w, "graphics", "type", "spice", "autoport", "yes", NULL);
		writer_empty(w, "listen", "type", "address", "address", "127.0.0.1",
			     NULL);
		writer_empty(w, "image", "compression", "off", NULL);
		writer_close(w);
	}
	writer_open(w, "video");
	writer_open(w, "model");
	writer_attribute(w, "type", "%s", vm->video == VM_YES ? "vga" : "none");
	writer_close(w);
	if (vm->video == VM_YES)
		write_address(w, 0, LAYOUT_VIDEO_SLOT, 0, false);
	writer_close(w);
}

static void write_shared_memory(struct writer *w, const struct vm *vm,
				const struct layout *layout)
{
	if (!layout->shared_memory)
		return;
	writer_start(w, "shmem", "name", XML_SHARED_MEMORY, NULL);
	writer_empty(w, "model", "type", "ivshmem-plain", NULL);
	writer_number(w, "size", vm->shared_memory, "unit", "M", NULL);
	write_address(w, layout->shared_memory, 0, 0, false);
	writer_close(w);
}

void xml_write_devices(struct writer *w, const struct vm *vm,
		       const struct claimed *claimed)
{
	struct layout layout;

	layout_make(vm, claimed, &layout);
	writer_open(w, "devices");
	writer_text(w, "emulator", "%s", vm->emulator);
	for (size_t i = 0; i < vm->disks.n; i++)
		write_disk(w, vm, &layout, i);
	for (size_t i = 0; i < vm->isos.n; i++)
		write_iso(w, vm, i);
	write_controllers(w, &layout);
	write_network(w, vm, &layout);
	writer_start(w, "serial", "type", "pty", NULL);
	writer_empty(w, "target", "type", "isa-serial", "port", "0", NULL);
	writer_close(w);
	if (vm->display == VM_SPICE)
		write_tablet(w);
	for (size_t i = 0; i < vm->evdev.n; i++)
		write_evdev(w, vm->evdev.items[i], i == 0);
	if (vm->tpm == VM_YES) {
		writer_start(w, "tpm", "model", "tpm-crb", NULL);
		writer_empty(w, "backend", "type", "emulator", "version", "2.0", NULL);
		writer_close(w);
	}
	write_sound(w, vm);
	write_display(w, vm);
	for (size_t i = 0; i < claimed->n; i++)
		write_function(w, vm, claimed, &layout, i);
	for (size_t i = 0; i < vm->usb.n; i++)
		write_usb(w, vm->usb.items[i], VM_TABLET_PORT + 1 + i);
	write_shared_memory(w, vm, &layout);
	writer_empty(w, "memballoon", "model", "none", NULL);
	writer_close(w);
}
