/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * QEMU's own words for a machine: qemu-system-x86_64(1). The same devices at the same
 * addresses as xml.c says; tests compare it with what libvirt makes of that.
 */
#include <stdlib.h>

#include "command_line.h"
#include "host.h"
#include "layout.h"
#include "str.h"
#include "xml_devices.h"

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

/* ---- the board */

static void add_machine(struct command_lines *l, const struct vm *vm)
{
	command_option(l, "-name", "debug-threads=on");
	command_value(l, "guest", vm->name);
	command_option(l, "-uuid", "%s", vm->uuid);
	command_option(
		l, "-machine",
		"q35,vmport=off,hpet=off,mem-merge=off,dump-guest-core=off,smm=%s,pflash0=firmware,"
		"pflash1=variables",
		on_off(vm->secure_boot == VM_YES));
	command_option(l, "-accel", "%s", vm->type == VM_KVM ? "kvm" : "tcg");
	command_option(l, "-blockdev", "driver=%s,node-name=firmware,read-only=on",
		       vm->loader_format);
	command_value(l, "file.driver", "file");
	command_value(l, "file.filename", vm->loader);
	command_option(l, "-blockdev", "driver=%s,node-name=variables",
		       vm->loader_format);
	command_value(l, "file.driver", "file");
	command_value(l, "file.filename", vm->nvram);
	if (vm->secure_boot == VM_YES)
		command_option(l, "-global",
			       "driver=cfi.pflash01,property=secure,value=on");
	command_option(l, "-global", "ICH9-LPC.disable_s3=1");
	command_option(l, "-global", "ICH9-LPC.disable_s4=1");
	command_option(l, "-global", "kvm-pit.lost_tick_policy=delay");
	command_option(l, "-rtc", "base=%s,driftfix=slew",
		       vm_is_windows(vm) ? "localtime" : "utc");
	command_option(l, "-boot", "strict=on");
}

/* Without KVM, QEMU refuses what needs the processor's number from the kernel. */
static void add_hyperv(struct command_lines *l, bool kvm)
{
	command_value(l, "hv-time", "on");
	command_value(l, "hv-relaxed", "on");
	command_value(l, "hv-vapic", "on");
	command_value(l, "hv-spinlocks", "0x1fff");
	if (kvm) {
		command_value(l, "hv-vpindex", "on");
		command_value(l, "hv-runtime", "on");
		command_value(l, "hv-synic", "on");
		command_value(l, "hv-stimer", "on");
		command_value(l, "hv-stimer-direct", "on");
	}
	command_value(l, "hv-reset", "on");
	command_value(l, "hv-frequencies", "on");
	if (kvm) {
		command_value(l, "hv-tlbflush", "on");
		command_value(l, "hv-ipi", "on");
	}
}

static void add_processors(struct command_lines *l, const struct vm *vm)
{
	const bool kvm = vm->type == VM_KVM;

	command_option(l, "-cpu", kvm ? "host,migratable=off" : "max");
	if (vm->topoext == VM_YES)
		command_value(l, "topoext", "on");
	if (vm_is_windows(vm))
		add_hyperv(l, kvm);
	if (vm->hide_kvm == VM_YES) {
		if (vm_is_windows(vm))
			command_value(l, "hv-vendor-id", VM_VENDOR_ID);
		command_value(l, "kvm", "off");
	}
	if (vm->address_bits) {
		char bits[16];
		struct str s = STR_ON(bits);

		str_add_uint(&s, vm->address_bits);
		command_value(l, "host-phys-bits-limit", bits);
	}
	if (kvm) {
		command_value(l, "host-cache-info", "on");
		command_value(l, "l3-cache", "off");
	}
	command_option(l, "-smp", "%u,sockets=1,dies=1,cores=%u,threads=%u", vm->cpus,
		       vm->cpus / vm->threads, vm->threads);
}

/* "0,2-3": QEMU wants each range as a value of its own. */
static void add_nodes(struct command_lines *l, const char *nodes)
{
	unsigned first, last;
	char range[32];

	command_value(l, "policy", "bind");
	while (host_list_next(&nodes, &first, &last)) {
		struct str s = STR_ON(range);

		str_add_uint(&s, first);
		if (last > first) {
			str_add_char(&s, '-');
			str_add_uint(&s, last);
		}
		command_value(l, "host-nodes", range);
	}
}

static void add_memory(struct command_lines *l, const struct vm *vm)
{
	const bool huge = vm->hugepages == VM_YES;
	char size[16];

	command_option(l, "-m", "%u", vm->memory);
	command_option(l, "-overcommit", "mem-lock=on");
	if (!huge && !vm->nodes)
		return;
	command_option(l, "-object", "memory-backend-%s,id=pc.ram,size=%uM",
		       huge ? "memfd" : "ram", vm->memory);
	if (huge) {
		struct str s = STR_ON(size);

		str_add_uint(&s, vm->hugepage_size);
		str_add_char(&s, 'K');
		command_value(l, "hugetlb", "on");
		command_value(l, "hugetlbsize", size);
		command_value(l, "prealloc", "on");
	}
	if (vm->nodes)
		add_nodes(l, vm->nodes);
	command_option(l, "-machine", "memory-backend=pc.ram");
}

static void add_ports(struct command_lines *l, const struct layout *layout)
{
	for (unsigned i = 1; i <= layout->n_ports; i++) {
		const struct layout_port p = layout_port(layout, i);

		command_option(l, "-device",
			       "pcie-root-port,id=pci.%u,bus=pcie.0,addr=0x%x.0x%x,"
			       "port=%u,chassis=%u%s",
			       p.index, p.slot, p.function, p.port, p.index,
			       p.multifunction ? ",multifunction=on" : "");
	}
	command_option(l, "-device", "qemu-xhci,id=usb,bus=pci.%u,addr=0x0,p2=15,p3=15",
		       layout->usb);
}

/* ---- disks */

static void add_disk(struct command_lines *l, const struct vm *vm,
		     const struct layout *layout, size_t i)
{
	const char *format = vm->disk_formats.items[i];
	const bool block = str_equal(format, "block");
	struct layout_drive drive;

	layout_drive(vm, i, false, &drive);
	command_option(l, "-blockdev",
		       "driver=%s,node-name=disk%zu,discard=unmap,cache.direct=on,"
		       "file.driver=%s,file.aio=native,file.discard=unmap,"
		       "file.cache.direct=on",
		       block ? "raw" : format, i, block ? "host_device" : "file");
	command_value(l, "file.filename", vm->disks.items[i]);
	if (vm->disk_bus == VM_VIRTIO)
		command_option(l, "-device",
			       "virtio-blk-pci,drive=disk%zu,bus=pci.%u,addr=0x0,"
			       "iothread=iothread1,write-cache=on,bootindex=%zu",
			       i, layout->disks + (unsigned)i, i + 1);
	else
		command_option(l, "-device",
			       "ide-hd,drive=disk%zu,bus=ide.%u,write-cache=on,"
			       "bootindex=%zu",
			       i, drive.unit, i + 1);
}

static void add_iso(struct command_lines *l, const struct vm *vm, size_t i)
{
	struct layout_drive drive;

	layout_drive(vm, i, true, &drive);
	command_option(l, "-blockdev",
		       "driver=raw,node-name=iso%zu,read-only=on,file.driver=file", i);
	command_value(l, "file.filename", vm->isos.items[i]);
	command_option(l, "-device", "ide-cd,drive=iso%zu,bus=ide.%u,bootindex=%zu", i,
		       drive.unit, vm->disks.n + i + 1);
}

static void add_disks(struct command_lines *l, const struct vm *vm,
		      const struct layout *layout)
{
	command_option(l, "-object", "iothread,id=iothread1");
	for (size_t i = 0; i < vm->disks.n; i++)
		add_disk(l, vm, layout, i);
	for (size_t i = 0; i < vm->isos.n; i++)
		add_iso(l, vm, i);
}

/* ---- what is passed through */

static void add_function(struct command_lines *l, const struct vm *vm,
			 const struct claimed *claimed, const struct layout *layout,
			 size_t i)
{
	const struct claimed_function *f = &claimed->functions[i];
	char address[PCI_ADDRESS_LEN];
	struct str s = STR_ON(address);

	pci_address_add(&s, f->function.address);
	command_option(l, "-device", "vfio-pci,host=%s,bus=pci.%u,addr=0x0.0x%x%s%s",
		       address, layout->claimed + f->device, f->number,
		       layout_multifunction(claimed, f) ? ",multifunction=on" : "",
		       i == 0 && vm->x_vga == VM_YES ? ",x-vga=on" : "");
	if (i == 0 && vm->rom)
		command_value(l, "romfile", vm->rom);
}

static void add_usb(struct command_lines *l, const char *id, size_t port)
{
	uint16_t vendor = 0, product = 0;

	(void)!pci_id_parse(id, &vendor, &product);
	command_option(l, "-device",
		       "usb-host,bus=usb.0,port=%zu,vendorid=0x%04x,productid=0x%04x",
		       port, vendor, product);
}

static void add_inputs(struct command_lines *l, const struct vm *vm)
{
	if (vm->display == VM_SPICE)
		command_option(l, "-device", "usb-tablet,bus=usb.0,port=%d",
			       VM_TABLET_PORT);
	for (size_t i = 0; i < vm->evdev.n; i++) {
		command_option(l, "-object", "input-linux,id=input%zu,repeat=on%s", i,
			       i == 0 ? ",grab_all=on" : "");
		command_value(l, "evdev", vm->evdev.items[i]);
	}
}

/* ---- the others */

/* libvirt's own networks are its own: without it, QEMU's stands in. */
static void add_network(struct command_lines *l, const struct vm *vm,
			const struct layout *layout)
{
	if (!layout->network)
		return;
	if (str_starts(vm->network, "bridge:")) {
		command_option(l, "-netdev", "bridge,id=net0");
		command_value(l, "br", vm->network + strlen("bridge:"));
	} else {
		command_option(l, "-netdev", "user,id=net0");
	}
	command_option(l, "-device", "%s,netdev=net0,mac=%s,bus=pci.%u,addr=0x0",
		       vm->nic == VM_NIC_VIRTIO ? "virtio-net-pci" : "e1000e", vm->mac,
		       layout->network);
}

static void add_display(struct command_lines *l, const struct vm *vm)
{
	command_option(l, "-display", "none");
	command_option(l, "-vga", "none");
	if (vm->display == VM_SPICE)
		command_option(l, "-spice",
			       "port=5900,addr=127.0.0.1,disable-ticketing=on,"
			       "image-compression=off,seamless-migration=on");
	if (vm->video == VM_YES)
		command_option(l, "-device", "VGA,bus=pcie.0,addr=0x%x",
			       LAYOUT_VIDEO_SLOT);
}

static void add_sound(struct command_lines *l, const struct vm *vm)
{
	if (vm->sound == VM_SILENT)
		return;
	if (vm->sound == VM_SOUND_SPICE) {
		command_option(l, "-audiodev", "spice,id=audio1");
	} else {
		command_option(l, "-audiodev", "pa,id=audio1");
		command_value(l, "server", vm->sound_server);
	}
	command_option(l, "-device", "ich9-intel-hda,id=sound0,bus=pcie.0,addr=0x%x",
		       LAYOUT_SOUND_SLOT);
	command_option(l, "-device", "hda-duplex,bus=sound0.0,cad=0,audiodev=audio1");
}

static void add_tpm(struct command_lines *l, const struct vm *vm)
{
	if (vm->tpm != VM_YES)
		return;
	command_option(l, "-chardev",
		       "socket,id=tpm,path=" VM_TPM_FOLDER "/%s/tpm2/socket", vm->uuid);
	command_option(l, "-tpmdev", "emulator,id=tpm0,chardev=tpm");
	command_option(l, "-device", "tpm-crb,tpmdev=tpm0");
}

static void add_shared_memory(struct command_lines *l, const struct vm *vm,
			      const struct layout *layout)
{
	if (!layout->shared_memory)
		return;
	command_option(l, "-object",
		       "memory-backend-file,id=shared,share=on,size=%uM,mem-path=/dev/"
		       "shm/" XML_SHARED_MEMORY,
		       vm->shared_memory);
	command_option(l, "-device", "ivshmem-plain,memdev=shared,bus=pci.%u,addr=0x0",
		       layout->shared_memory);
}

/*
 * The terminal is the guest's serial port and, behind Ctrl-a c, QEMU's monitor; Ctrl-a x
 * ends it.
 */
static void add_terminal(struct command_lines *l)
{
	command_option(l, "-chardev", "stdio,id=terminal,mux=on,signal=off");
	command_option(l, "-mon", "chardev=terminal,mode=readline");
	command_option(l, "-device", "isa-serial,chardev=terminal,index=0");
}

void qemu_add(struct command_lines *lines, const struct vm *vm,
	      const struct claimed *claimed)
{
	struct layout layout;

	layout_make(vm, claimed, &layout);
	command_add(lines, "-nodefaults");
	command_add(lines, "-no-user-config");
	add_machine(lines, vm);
	add_processors(lines, vm);
	add_memory(lines, vm);
	add_ports(lines, &layout);
	for (size_t i = 0; i < claimed->n; i++)
		add_function(lines, vm, claimed, &layout, i);
	for (size_t i = 0; i < vm->usb.n; i++)
		add_usb(lines, vm->usb.items[i], VM_TABLET_PORT + 1 + i);
	add_disks(lines, vm, &layout);
	add_network(lines, vm, &layout);
	add_tpm(lines, vm);
	add_inputs(lines, vm);
	add_display(lines, vm);
	add_sound(lines, vm);
	add_shared_memory(lines, vm, &layout);
	add_terminal(lines);
}
