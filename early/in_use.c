/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "in_use.h"

#include <errno.h>
#include <string.h>

#define TARGET_MAX 1024 /* bytes of a link's target below /sys/devices */

struct search {
	struct fs *root;
	char part[PCI_ADDRESS_LEN + 2]; /* "/0000:01:00.0/" */
	const char *pid;
};

/* Whether a link of sysfs leads to something below the function. */
static bool leads_below(struct search *s, const char *folder, const char *name)
{
	char path[FS_PATH_MAX], target[TARGET_MAX];
	struct str p = STR_ON(path);

	str_join(&p, folder, "/", name, NULL);
	return s->root->ops->link(s->root, path, target, sizeof(target)) == 0 &&
	       strstr(target, s->part);
}

static int visit_fd(void *arg, const char *name)
{
	static const char *const classes[] = { "sys/class/drm", "sys/class/sound",
					       "sys/class/graphics" };
	char path[FS_PATH_MAX], target[FS_PATH_MAX];
	struct search *s = arg;
	struct str p = STR_ON(path);

	str_join(&p, "proc/", s->pid, "/fd/", name, NULL);
	if (s->root->ops->link(s->root, path, target, sizeof(target)) < 0 ||
	    !str_starts(target, "/dev/"))
		return 0;
	/* one node for all cards */
	if (str_starts(target, "/dev/nvidia") || str_equal(target, "/dev/kfd"))
		return 1;
	for (size_t i = 0; i < ARRAY_SIZE(classes); i++)
		if (leads_below(s, classes[i], strrchr(target, '/') + 1))
			return 1;
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

/* "1-2" is a device, "usb1" the hub in the controller, "1-2:1.0" an interface. */
static int visit_usb(void *arg, const char *name)
{
	return !str_starts(name, "usb") && !strchr(name, ':') &&
	       leads_below(arg, "sys/bus/usb/devices", name);
}

/* While nvidia_drm has a card, nvidia waits for it, inside the kernel, without an end. */
static bool displays_hold(struct fs *root, const struct pci_function *f)
{
	char path[FS_PATH_MAX];

	pci_device_path(path, sizeof(path), f->address, "drm");
	return str_equal(f->driver, "nvidia") && root->ops->exists(root, path) != -ENOENT;
}

bool in_use(struct fs *root, const struct pci_function *f)
{
	struct search s = { .root = root };
	struct str part = STR_ON(s.part);
	int r = -ENOENT;

	str_add_char(&part, '/');
	pci_address_add(&part, f->address);
	str_add_char(&part, '/');
	if (displays_hold(root, f))
		return true;
	if (f->ids.class >> 8 == 0x0c03)
		r = root->ops->list(root, "sys/bus/usb/devices", visit_usb, &s);
	else if (!pci_is_display(&f->ids) && f->ids.class >> 16 != 0x04)
		return true;
	return (r != 0 && r != -ENOENT) ||
	       root->ops->list(root, "proc", visit_process, &s) != 0;
}
