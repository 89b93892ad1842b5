/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#define VFIO "/dev/vfio/"

struct search {
	struct fs *root;
	const struct pci_address *addresses;
	size_t n;
	struct holders *holders;
	const char *target; /* of the descriptor that is looked at */
};

/* "vfio3" of /sys/bus/pci/devices/X/vfio-dev is /dev/vfio/devices/vfio3. */
static int compare_device(void *arg, const char *name)
{
	struct search *s = arg;

	return str_starts(s->target, VFIO "devices/") &&
	       str_equal(s->target + strlen(VFIO "devices/"), name);
}

static bool is_of(struct search *s, struct pci_address address)
{
	char path[FS_PATH_MAX], group[16];

	pci_device_path(path, sizeof(path), address, "iommu_group");
	if (fs_link_name(s->root, path, group, sizeof(group)) == 0 &&
	    str_equal(s->target + strlen(VFIO), group))
		return true;
	pci_device_path(path, sizeof(path), address, "vfio-dev");
	return s->root->ops->list(s->root, path, compare_device, s) > 0;
}

static void look_at(void *arg, const struct open_file *file)
{
	struct search *s = arg;

	if (!str_starts(file->target, VFIO))
		return;
	s->target = file->target;
	for (size_t i = 0; i < s->n; i++)
		if (is_of(s, s->addresses[i])) {
			holders_add(s->holders, s->root, file);
			return;
		}
}

void users_find(struct fs *root, const struct pci_address *addresses, size_t n,
		struct holders *ret)
{
	struct search s = {
		.root = root, .addresses = addresses, .n = n, .holders = ret
	};

	ret->unseen += open_files_each(root, look_at, &s);
}
