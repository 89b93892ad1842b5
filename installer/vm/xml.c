/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * https://libvirt.org/formatdomain.html; what each part is for says decide.c.
 */
#include "xml.h"

#include "layout.h"
#include "metadata.h"
#include "qemu_words.h"
#include "str.h"
#include "writer.h"
#include "xml_devices.h"

static const char *on_off(bool on)
{
	return on ? "on" : "off";
}

static void write_metadata(struct writer *w, const struct claimed *claimed)
{
	writer_open(w, "metadata");
	writer_start(w, METADATA_PREFIX ":" METADATA_CLAIMS, "xmlns:" METADATA_PREFIX,
		     METADATA_URI, NULL);
	writer_start(w, METADATA_PREFIX ":" METADATA_CLAIM, METADATA_NAME,
		     claimed->conf->name, NULL);
	for (size_t i = 0; i < claimed->n; i++) {
		const struct claimed_function *f = &claimed->functions[i];
		char path[128], address[PCI_ADDRESS_LEN];
		struct str p = STR_ON(path), a = STR_ON(address);

		pci_path_add(&p, &f->conf->identity.path);
		pci_address_add(&a, f->function.address);
		writer_empty(w, METADATA_PREFIX ":" METADATA_FUNCTION, METADATA_PATH,
			     path, METADATA_ADDRESS, address, NULL);
	}
	for (int i = 0; i < 3; i++)
		writer_close(w);
}

/* The processors that each of the guest's runs on. */
static void write_pinning(struct writer *w, const struct vm *vm)
{
	if (!vm->pins.n)
		return;
	writer_open(w, "cputune");
	for (size_t i = 0; i < vm->pins.n; i++) {
		writer_open(w, "vcpupin");
		writer_attribute(w, "vcpu", "%zu", i);
		writer_attribute(w, "cpuset", "%s", vm->pins.items[i]);
		writer_close(w);
	}
	writer_empty(w, "emulatorpin", "cpuset", vm->other_cpus, NULL);
	writer_empty(w, "iothreadpin", "iothread", "1", "cpuset", vm->other_cpus, NULL);
	writer_close(w);
	writer_open(w, "numatune");
	writer_empty(w, "memory", "mode", "strict", "nodeset", vm->nodes, NULL);
	writer_close(w);
}

static void write_firmware(struct writer *w, const struct vm *vm)
{
	const bool secure = vm->secure_boot == VM_YES,
		   raw = str_equal(vm->loader_format, "raw");

	writer_open(w, "os");
	writer_start(w, "type", "arch", "x86_64", "machine", "q35", NULL);
	writer_content(w, "hvm");
	writer_close(w);
	writer_start(w, "loader", "readonly", "yes", "secure", secure ? "yes" : "no",
		     "type", "pflash", raw ? NULL : "format", vm->loader_format, NULL);
	writer_content(w, vm->loader);
	writer_close(w);
	writer_start(w, "nvram", "template", vm->nvram_template, raw ? NULL : "format",
		     vm->loader_format, NULL);
	writer_content(w, vm->nvram);
	writer_close(w);
	writer_close(w);
}

static void feature(struct writer *w, const char *name, bool on)
{
	writer_empty(w, name, "state", on_off(on), NULL);
}

/* Without KVM, QEMU refuses what needs the processor's number from the kernel. */
static void write_hyperv(struct writer *w, const struct vm *vm)
{
	const bool kvm = vm->type == VM_KVM;

	writer_start(w, "hyperv", "mode", "custom", NULL);
	feature(w, "relaxed", true);
	feature(w, "vapic", true);
	writer_empty(w, "spinlocks", "state", "on", "retries", "8191", NULL);
	if (kvm) {
		feature(w, "vpindex", true);
		feature(w, "runtime", true);
		feature(w, "synic", true);
		writer_start(w, "stimer", "state", "on", NULL);
		feature(w, "direct", true);
		writer_close(w);
	}
	feature(w, "reset", true);
	if (vm->hide_kvm == VM_YES)
		writer_empty(w, "vendor_id", "state", "on", "value", VM_VENDOR_ID, NULL);
	feature(w, "frequencies", true);
	if (kvm) {
		feature(w, "tlbflush", true);
		feature(w, "ipi", true);
	}
	writer_close(w);
}

static void write_features(struct writer *w, const struct vm *vm)
{
	writer_open(w, "features");
	writer_empty(w, "acpi", NULL);
	writer_empty(w, "apic", NULL);
	if (vm_is_windows(vm))
		write_hyperv(w, vm);
	if (vm->hide_kvm == VM_YES) {
		writer_open(w, "kvm");
		feature(w, "hidden", true);
		writer_close(w);
	}
	feature(w, "vmport", false);
	feature(w, "smm", vm->secure_boot == VM_YES);
	writer_close(w);
}

static void write_cpu(struct writer *w, const struct vm *vm)
{
	const bool kvm = vm->type == VM_KVM;

	writer_start(w, "cpu", "mode", kvm ? "host-passthrough" : "maximum", "check",
		     "none", kvm ? "migratable" : NULL, "off", NULL);
	writer_open(w, "topology");
	writer_attribute(w, "sockets", "1");
	writer_attribute(w, "dies", "1");
	writer_attribute(w, "cores", "%u", vm->cpus / vm->threads);
	writer_attribute(w, "threads", "%u", vm->threads);
	writer_close(w);
	if (kvm)
		writer_empty(w, "cache", "mode", "passthrough", NULL);
	if (vm->address_limit == VM_YES) {
		writer_start(w, "maxphysaddr", "mode", "passthrough", NULL);
		writer_attribute(w, "limit", "%u", vm->address_bits);
		writer_close(w);
	}
	if (vm->topoext == VM_YES)
		writer_empty(w, "feature", "policy", "require", "name", "topoext", NULL);
	writer_close(w);
}

static void write_clock(struct writer *w, const struct vm *vm)
{
	const bool windows = vm_is_windows(vm);

	writer_start(w, "clock", "offset", windows ? "localtime" : "utc", NULL);
	writer_empty(w, "timer", "name", "rtc", "tickpolicy", "catchup", NULL);
	writer_empty(w, "timer", "name", "pit", "tickpolicy", "delay", NULL);
	writer_empty(w, "timer", "name", "hpet", "present", "no", NULL);
	if (windows)
		writer_empty(w, "timer", "name", "hypervclock", "present", "yes", NULL);
	writer_close(w);
	writer_text(w, "on_poweroff", "destroy");
	writer_text(w, "on_reboot", "restart");
	writer_text(w, "on_crash", "destroy");
	writer_open(w, "pm");
	writer_empty(w, "suspend-to-mem", "enabled", "no", NULL);
	writer_empty(w, "suspend-to-disk", "enabled", "no", NULL);
	writer_close(w);
}

/* libvirt has no word for it before 9.3. */
static void write_limit(struct writer *w, const struct vm *vm)
{
	if (vm->address_limit != VM_NO)
		return;
	writer_open(w, "qemu:commandline");
	writer_empty(w, "qemu:arg", "value", "-global", NULL);
	writer_open(w, "qemu:arg");
	writer_attribute(w, "value", QEMU_LIMIT "%u", vm->address_bits);
	writer_close(w);
	writer_close(w);
}

/* libvirt has no word for it. */
static void write_x_vga(struct writer *w, const struct vm *vm)
{
	if (vm->x_vga != VM_YES)
		return;
	writer_open(w, "qemu:override");
	writer_start(w, "qemu:device", "alias", XML_GPU_ALIAS, NULL);
	writer_open(w, "qemu:frontend");
	writer_empty(w, "qemu:property", "name", "x-vga", "type", "bool", "value", "true",
		     NULL);
	writer_close(w);
	writer_close(w);
	writer_close(w);
}

static void write_backing(struct writer *w, const struct vm *vm)
{
	writer_open(w, "memoryBacking");
	if (vm->hugepages == VM_YES) {
		writer_open(w, "hugepages");
		writer_open(w, "page");
		writer_attribute(w, "size", "%u", vm->hugepage_size);
		writer_attribute(w, "unit", "KiB");
		writer_close(w);
		writer_close(w);
	}
	writer_empty(w, "nosharepages", NULL);
	writer_empty(w, "locked", NULL);
	writer_close(w);
}

static void write_domain(struct writer *w, const struct vm *vm,
			 const struct claimed *claimed)
{
	writer_start(w, "domain", "type", vm_type_names[vm->type],
		     vm->x_vga == VM_YES || vm->address_limit == VM_NO ? "xmlns:qemu"
								       : NULL,
		     QEMU_URI, NULL);
	writer_text(w, "name", "%s", vm->name);
	writer_text(w, "uuid", "%s", vm->uuid);
	if (vm->title)
		writer_text(w, "title", "%s", vm->title);
	write_metadata(w, claimed);
	writer_number(w, "memory", vm->memory, "unit", "MiB", NULL);
	write_backing(w, vm);
	writer_number(w, "vcpu", vm->cpus, "placement", "static", NULL);
	writer_text(w, "iothreads", "1");
	write_pinning(w, vm);
	write_firmware(w, vm);
	write_features(w, vm);
	write_cpu(w, vm);
	write_clock(w, vm);
	xml_write_devices(w, vm, claimed);
	write_limit(w, vm);
	write_x_vga(w, vm);
	writer_close(w);
}

char *xml_make(const struct vm *vm, const struct claimed *claimed)
{
	struct writer w;

	writer_init(&w);
	write_domain(&w, vm, claimed);
	return writer_finish(&w);
}
