/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "iommu.h"

#include <errno.h>
#include <stdlib.h>

#define GROUPS "sys/kernel/iommu_groups"

static int first_name(void *arg, const char *name)
{
	(void)arg, (void)name;
	return 1;
}

bool iommu_present(struct fs *fs)
{
	return fs->ops->list(fs, "sys/class/iommu", first_name, NULL) == 1;
}

bool iommu_unsafe_mode(struct fs *fs)
{
	char value[8];
	int r;

	r = fs_read_text(fs, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode",
			 value, sizeof(value));
	return r != -ENOENT && (r < 0 || !str_equal(value, "N"));
}

static void group_path(char *buf, size_t size, int id, const char *leaf)
{
	struct str s;

	str_init(&s, buf, size);
	str_add(&s, GROUPS "/");
	str_add_uint(&s, (uint64_t)id);
	str_join(&s, "/", leaf, NULL);
}

static enum iommu_proof inactive(struct iommu_group *group, const char *why,
				 const char *what)
{
	struct str s = STR_ON(group->detail);

	str_join(&s, why, what, NULL);
	return IOMMU_E_INACTIVE;
}

/* The link's last component is the group's number. */
int iommu_group_number(struct fs *fs, struct pci_address address)
{
	char path[FS_PATH_MAX], name[16];
	const char *p = name;
	uint64_t id;
	int r;

	pci_device_path(path, sizeof(path), address, "iommu_group");
	r = fs_link_name(fs, path, name, sizeof(name));
	if (r < 0)
		return r;
	return str_take_uint(&p, INT32_MAX, &id) && !*p ? (int)id : -EPROTO;
}

static enum iommu_proof prove(struct fs *fs, struct iommu_group *group)
{
	char path[FS_PATH_MAX], text[32];
	struct str s;
	int r;

	group_path(path, sizeof(path), group->id, "name");
	r = fs_read_text(fs, path, text, sizeof(text));
	if (r == 0 && str_equal(text, "vfio-noiommu")) {
		s = STR_ON(group->detail);
		str_add(&s, "its group is vfio's own, without an IOMMU");
		return IOMMU_E_NO_IOMMU;
	}
	if (r < 0 && r != -ENOENT)
		return inactive(group, "its group's name cannot be read: ", str_errno(r));

	group_path(path, sizeof(path), group->id, "type");
	r = fs_read_text(fs, path, text, sizeof(text));
	if (r < 0)
		return inactive(group, "its group's type cannot be read: ", str_errno(r));
	if (!str_equal(text, "DMA") && !str_equal(text, "DMA-FQ") &&
	    !str_equal(text, "identity"))
		return inactive(group, "its group's type is ", text);
	return IOMMU_PROVEN;
}

static int list_members(struct fs *fs, struct iommu_group *group)
{
	char path[FS_PATH_MAX];
	const uint64_t *keys;
	int r;

	group_path(path, sizeof(path), group->id, "devices");
	r = pci_list_addresses(fs, path, &keys, &group->n);
	if (r == -ENOMEM)
		return r;
	if (r < 0)
		group->proof =
			inactive(group, "its group cannot be listed: ", str_errno(r));
	if (!group->n)
		return 0;
	group->members = calloc(group->n, sizeof(*group->members));
	if (!group->members)
		return -ENOMEM;
	for (size_t i = 0; i < group->n; i++)
		group->members[i] = pci_address_of(keys[i]);
	return 0;
}

int iommu_group_read(struct fs *fs, struct pci_address address, struct iommu_group *ret)
{
	struct iommu_group group = { .id = -1 };
	int r;

	r = iommu_group_number(fs, address);
	if (r < 0) {
		group.proof = inactive(&group, "it has no IOMMU group", "");
		*ret = group;
		return 0;
	}
	group.id = r;
	group.proof = prove(fs, &group);
	if (group.proof == IOMMU_PROVEN) {
		r = list_members(fs, &group);
		if (r < 0)
			return r;
	}
	*ret = group;
	return 0;
}

void iommu_group_finish(struct iommu_group *group)
{
	free(group->members);
	*group = (struct iommu_group){ .id = -1 };
}

const char *iommu_missing_hint(struct fs *fs)
{
	if (fs->ops->exists(fs, "sys/firmware/acpi/tables/DMAR") == 0)
		return "the firmware offers Intel VT-d, the kernel does not use it; "
		       "boot with intel_iommu=on";
	if (fs->ops->exists(fs, "sys/firmware/acpi/tables/IVRS") == 0)
		return "the firmware offers AMD-Vi, the kernel does not use it; "
		       "remove amd_iommu=off or iommu=off";
	return "switch on VT-d (Intel) or IOMMU (AMD) in the firmware's set-up";
}
