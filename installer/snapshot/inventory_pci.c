/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inventory.h"

static void add_function(struct inventory *v, struct pci_address address)
{
	static const char *const attributes[] = { "uevent",
						  "config",
						  "class",
						  "vendor",
						  "device",
						  "subsystem_*",
						  "revision",
						  "driver_override",
						  "boot_vga",
						  "numa_node",
						  "power_state",
						  "reset_method",
						  "resource",
						  "modalias",
						  "sriov_*vfs",
						  "d3cold_allowed",
						  "max_link_*",
						  "current_link_*",
						  "local_cpulist",
						  "enable",
						  "resource*_resize",
						  "removable",
						  NULL };
	static const char *const links[] = { "driver",	   "iommu_group", "iommu",
					     "subsystem",  "physfn",	  "virtfn*",
					     "consumer:*", "supplier:*",  NULL };
	static const char *const resources[] = { "power_resources_D3hot", NULL };
	static const char *const powers[] = { "control", "runtime_status", NULL };
	static const char *const drm[] = { "drm", NULL };
	char link[FS_PATH_MAX], here[FS_PATH_MAX], path[FS_PATH_MAX * 2];

	pci_device_path(link, sizeof(link), address, NULL);
	if (!inventory_enter(v, link, here, sizeof(here)))
		return;
	inventory_each(v, here, attributes, inventory_attribute);
	inventory_each(v, here, links, inventory_link);
	inventory_each(v, here, drm, inventory_folder);
	if (inventory_below(path, sizeof(path), here, "power"))
		inventory_each(v, path, powers, inventory_attribute);
	/* whether the firmware can cut the power behind a port */
	if (inventory_below(path, sizeof(path), here, "firmware_node") &&
	    v->root->ops->exists(v->root, path) == 0) {
		inventory_folder(v, path);
		inventory_each(v, path, resources, inventory_folder);
	}
	if (inventory_below(path, sizeof(path), here, "vfio-dev"))
		inventory_each(v, path, inventory_any, inventory_folder);
}

/* What is only written to stays empty. */
static void add_driver(struct inventory *v, const char *path)
{
	static const char *const writable[] = { "bind", "unbind", "new_id", "remove_id",
						NULL };

	inventory_folder(v, path);
	inventory_each(v, path, writable, inventory_empty);
	inventory_each(v, path, inventory_any, inventory_link);
}

static void add_group(struct inventory *v, const char *path)
{
	static const char *const attributes[] = { "name", "type", "reserved_regions",
						  NULL };
	char devices[FS_PATH_MAX * 2];

	inventory_each(v, path, attributes, inventory_attribute);
	if (!inventory_below(devices, sizeof(devices), path, "devices"))
		return;
	inventory_folder(v, devices);
	inventory_each(v, devices, inventory_any, inventory_link);
}

/* dmar0/intel-iommu/{version,cap,ecap}, ivhd0/amd-iommu/{cap,features} */
static void add_iommu(struct inventory *v, const char *path)
{
	static const char *const folders[] = { "intel-iommu", "amd-iommu" };
	char here[FS_PATH_MAX], values[FS_PATH_MAX * 2];

	if (!inventory_enter(v, path, here, sizeof(here)))
		return;
	for (size_t k = 0; k < ARRAY_SIZE(folders); k++)
		if (inventory_below(values, sizeof(values), here, folders[k]))
			inventory_each(v, values, inventory_any, inventory_attribute);
}

static void add_drm(struct inventory *v, const char *path)
{
	/* edid has a serial number of the display, so it stays here */
	static const char *const attributes[] = { "status", "enabled", "dpms", NULL };
	static const char *const links[] = { "device", NULL };
	char here[FS_PATH_MAX];

	if (!str_starts(path, "sys/class/drm/card") ||
	    !inventory_enter(v, path, here, sizeof(here)))
		return;
	inventory_each(v, here, attributes, inventory_attribute);
	inventory_each(v, here, links, inventory_link);
}

static void add_console(struct inventory *v, const char *path)
{
	static const char *const attributes[] = { "name", "bind", NULL };
	char here[FS_PATH_MAX];

	if (inventory_enter(v, path, here, sizeof(here)))
		inventory_each(v, here, attributes, inventory_attribute);
}

void inventory_pci(struct inventory *inventory, const struct pci_list *all)
{
	static const struct {
		const char *folder;
		inventory_fn *fn;
	} folders[] = {
		{ PCI_DRIVERS, add_driver },
		{ "sys/bus/platform/drivers", add_driver },
		{ "sys/kernel/iommu_groups", add_group },
		{ "sys/class/iommu", add_iommu },
		{ "sys/class/drm", add_drm },
		{ "sys/class/vtconsole", add_console },
	};
	struct fs *root = inventory->root;

	inventory_folder(inventory, PCI_DEVICES);
	for (size_t i = 0; i < all->n; i++)
		add_function(inventory, all->functions[i].address);
	inventory_empty(inventory, "sys/bus/pci/drivers_probe");
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++) {
		if (root->ops->exists(root, folders[i].folder) < 0)
			continue;
		inventory_folder(inventory, folders[i].folder);
		inventory_each(inventory, folders[i].folder, inventory_any,
			       folders[i].fn);
	}
}
