/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inventory.h"

/* ---- disks: what lies on what */

static void as_disk(struct inventory *v, const char *path)
{
	static const char *const attributes[] = { "size", "ro", "removable", "partition",
						  NULL };
	static const char *const name[] = { "name", NULL };
	char here[FS_PATH_MAX], sub[FS_PATH_MAX * 2];

	if (!inventory_enter(v, path, here, sizeof(here)))
		return;
	inventory_each(v, here, attributes, inventory_attribute);
	if (inventory_below(sub, sizeof(sub), here, "dm"))
		inventory_each(v, sub, name, inventory_attribute);
	if (inventory_below(sub, sizeof(sub), here, "slaves"))
		inventory_each(v, sub, inventory_any, inventory_link);
}

static void as_btrfs(struct inventory *v, const char *path)
{
	char devices[FS_PATH_MAX * 2];

	if (inventory_below(devices, sizeof(devices), path, "devices"))
		inventory_each(v, devices, inventory_any, inventory_link);
}

static void add_disks(struct inventory *v)
{
	inventory_each(v, "sys/class/block", inventory_any, as_disk);
	inventory_each(v, "sys/dev/block", inventory_any, inventory_link);
	inventory_each(v, "sys/fs/btrfs", inventory_any, as_btrfs);
}

/* ---- modules and kernels */

static void as_module(struct inventory *v, const char *path)
{
	static const char *const attributes[] = { "initstate", "version", NULL };
	char parameters[FS_PATH_MAX * 2];

	inventory_folder(v, path);
	inventory_each(v, path, attributes, inventory_attribute);
	if (inventory_below(parameters, sizeof(parameters), path, "parameters"))
		inventory_each(v, parameters, inventory_any, inventory_attribute);
}

static void as_kernel(struct inventory *v, const char *path)
{
	static const char *const files[] = { "modules.dep", "modules.builtin", "pkgbase",
					     NULL };

	inventory_folder(v, path);
	inventory_each(v, path, files, inventory_file);
}

static void add_modules(struct inventory *v)
{
	static const char *const modules[] = { "vfio*",	 "kvm*",      "irqbypass",
					       "iommu*", "nvidia*",   "nouveau",
					       "amdgpu", "radeon",    "i915",
					       "xe",	 "simpledrm", "bbswitch",
					       NULL };

	inventory_each(v, "sys/module", modules, as_module);
	inventory_each(v, "lib/modules", inventory_any, as_kernel);
}

/* ---- what guests run on: processors, huge pages, QEMU */

static void as_cpu(struct inventory *v, const char *path)
{
	static const char *const attributes[] = { "online", NULL };
	static const char *const topology[] = { "core_id", "physical_package_id", NULL };
	static const char *const shared[] = { "shared_cpu_list", NULL };
	static const char *const node[] = { "node*", NULL };
	static const struct {
		const char *folder;
		const char *const *attributes;
	} folders[] = { { "topology", topology },
			{ "cache/index2", shared },
			{ "cache/index3", shared } };
	char below[FS_PATH_MAX * 2];

	inventory_folder(v, path);
	inventory_each(v, path, attributes, inventory_attribute);
	inventory_each(v, path, node, inventory_link);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (inventory_below(below, sizeof(below), path, folders[i].folder))
			inventory_each(v, below, folders[i].attributes,
				       inventory_attribute);
}

static void as_pages(struct inventory *v, const char *path)
{
	static const char *const attributes[] = { "nr_hugepages", "free_hugepages",
						  NULL };

	inventory_each(v, path, attributes, inventory_attribute);
}

static void add_host(struct inventory *v)
{
	static const char *const cpus[] = { "cpu[0-9]*", NULL };
	static const char *const kinds[] = { "cpu_atom", "cpu_core", NULL };
	static const char *const list[] = { "cpus", NULL };
	static const char *const programs[] = { "qemu-system-x86_64", "swtpm", NULL };
	static const char *const json[] = { "*.json", NULL };
	static const char *const firmware[] = { "usr/share/OVMF", "usr/share/edk2/ovmf",
						"usr/share/edk2/x64" };
	static const char *const code[] = { "OVMF*", NULL };
	char path[FS_PATH_MAX];

	inventory_each(v, "sys/devices/system/cpu", cpus, as_cpu);
	for (size_t i = 0; kinds[i]; i++)
		if (inventory_below(path, sizeof(path), "sys/devices", kinds[i]))
			inventory_each(v, path, list, inventory_attribute);
	inventory_each(v, "sys/kernel/mm/hugepages", inventory_any, as_pages);
	inventory_each(v, "usr/bin", programs, inventory_empty);
	inventory_each(v, "usr/share/qemu/firmware", json, inventory_file);
	for (size_t i = 0; i < ARRAY_SIZE(firmware); i++)
		inventory_each(v, firmware[i], code, inventory_empty);
}

/* ---- who switches graphics, besides their settings */

static void add_switchers(struct inventory *v)
{
	static const char *const programs[] = { "system76-power", "prime-select", NULL };
	static const char *const services[] = { "switcheroo-control", NULL };
	static const char *const mux[] = { "gpu_mux_mode", "dgpu_disable", NULL };

	inventory_each(v, "usr/bin", programs, inventory_empty);
	inventory_each(v, "usr/libexec", services, inventory_empty);
	inventory_each(v, "sys/devices/platform/asus-nb-wmi", mux, inventory_attribute);
}

/* ---- firmware */

static void add_firmware(struct inventory *v)
{
	static const char *const tables[] = { "DMAR", "IVRS", NULL };
	/* LoaderDevicePartUUID is somebody's disk, so it stays here */
	static const char *const variables[] = {
		"SecureBoot-*",	   "SetupMode-*",	   "LoaderInfo-*",
		"LoaderEntry*-*",  "LoaderFirmwareInfo-*", "StubInfo-*",
		"LoaderEntries-*", "VfioClaimRecord-*",	   NULL
	};
	static const char *const dmi[] = { "sys_vendor",     "product_name",
					   "product_family", "board_vendor",
					   "board_name",     "bios_vendor",
					   "bios_version",   "bios_date",
					   "chassis_type",   NULL };
	static const char *const efi[] = { "fw_platform_size", NULL };

	inventory_each(v, "sys/firmware/acpi/tables", tables, inventory_empty);
	inventory_each(v, "sys/class/dmi/id", dmi, inventory_attribute);
	if (v->root->ops->exists(v->root, "sys/firmware/efi") == 0) {
		inventory_folder(v, "sys/firmware/efi");
		inventory_each(v, "sys/firmware/efi", efi, inventory_attribute);
	}
	if (v->root->ops->exists(v->root, "sys/firmware/efi/efivars") == 0) {
		inventory_folder(v, "sys/firmware/efi/efivars");
		inventory_each(v, "sys/firmware/efi/efivars", variables, inventory_file);
	}
}

void inventory_system(struct inventory *inventory)
{
	static const char *const files[] = {
		"proc/cmdline",	       "proc/iomem",
		"proc/cpuinfo",	       "proc/modules",
		"proc/mounts",	       "proc/swaps",
		"proc/version",	       "proc/meminfo",
		"proc/self/mountinfo", "proc/sys/kernel/osrelease"
	};
	static const char *const kvm[] = { "kvm", NULL };

	for (size_t i = 0; i < ARRAY_SIZE(files); i++)
		inventory_file(inventory, files[i]);
	add_disks(inventory);
	add_modules(inventory);
	add_host(inventory);
	add_switchers(inventory);
	add_firmware(inventory);
	inventory_attribute(inventory, "sys/kernel/security/lockdown");
	/* that they exist is all there is to say of them */
	inventory_each(inventory, "dev", kvm, inventory_empty);
	inventory_each(inventory, "dev/vfio", inventory_any, inventory_empty);
}
