/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#include "open_files.h"
#include "pci.h"

#define VFIO "/dev/vfio/"

struct search {
	struct fs *root;
	const struct report *boot;
	const struct report_claim *claim;
	const char *target; /* of the descriptor that is looked at */
};

/* "vfio3" of /sys/bus/pci/devices/X/vfio-dev is /dev/vfio/devices/vfio3. */
static int compare_device(void *arg, const char *name)
{
	struct search *s = arg;

	return str_starts(s->target, VFIO "devices/") &&
	       str_equal(s->target + strlen(VFIO "devices/"), name);
}

static bool is_of(struct search *s, const struct report_function *f)
{
	char path[FS_PATH_MAX], group[16];

	pci_device_path(path, sizeof(path), f->address, "iommu_group");
	if (fs_link_name(s->root, path, group, sizeof(group)) == 0 &&
	    str_equal(s->target + strlen(VFIO), group))
		return true;
	pci_device_path(path, sizeof(path), f->address, "vfio-dev");
	return s->root->ops->list(s->root, path, compare_device, s) > 0;
}

static bool is_of_claim(void *arg, const char *link, const char *target)
{
	struct search *s = arg;

	(void)link;
	if (!str_starts(target, VFIO))
		return false;
	s->target = target;
	for (unsigned i = 0; i < s->claim->n; i++)
		if (is_of(s, &s->boot->functions[s->claim->first + i]))
			return true;
	return false;
}

bool users_find(struct fs *root, const struct report *boot,
		const struct report_claim *claim, struct str *who)
{
	struct search s = { .root = root, .boot = boot, .claim = claim };

	return open_files_find(root, is_of_claim, &s, who);
}
