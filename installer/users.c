/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "users.h"

#include "pci.h"

#define VFIO "/dev/vfio/"

struct search {
	struct fs *root;
	const struct report *boot;
	const struct report_claim *claim;
	const char *pid;
	char target[FS_PATH_MAX]; /* of one of its descriptors */
	struct str *who;
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

static int visit_fd(void *arg, const char *name)
{
	char path[FS_PATH_MAX], comm[32];
	struct search *s = arg;
	struct str p = STR_ON(path);

	str_join(&p, "proc/", s->pid, "/fd/", name, NULL);
	if (s->root->ops->link(s->root, path, s->target, sizeof(s->target)) < 0 ||
	    !str_starts(s->target, VFIO))
		return 0;
	for (unsigned i = 0; i < s->claim->n; i++) {
		if (!is_of(s, &s->boot->functions[s->claim->first + i]))
			continue;
		p = STR_ON(path);
		str_join(&p, "proc/", s->pid, "/comm", NULL);
		if (fs_read_text(s->root, path, comm, sizeof(comm)) < 0)
			str_copy(comm, sizeof(comm), "a process");
		str_join(s->who, comm, " (pid ", s->pid, ") has ", s->target, " open",
			 NULL);
		return 1;
	}
	return 0;
}

static int visit_process(void *arg, const char *name)
{
	char path[FS_PATH_MAX];
	struct search *s = arg;
	struct str p = STR_ON(path);

	if (*name < '1' || *name > '9')
		return 0;
	s->pid = name;
	str_join(&p, "proc/", name, "/fd", NULL);
	/* it may have ended since */
	return s->root->ops->list(s->root, path, visit_fd, s) > 0;
}

bool users_find(struct fs *root, const struct report *boot,
		const struct report_claim *claim, struct str *who)
{
	struct search s = { .root = root, .boot = boot, .claim = claim, .who = who };

	return root->ops->list(root, "proc", visit_process, &s) > 0;
}
