/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host_users.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "driver.h"
#include "needed.h"
#include "open_files.h"
#include "text.h"

#define LINK_MAX 1024 /* bytes of a link's target below /sys/devices */

struct search {
	struct fs *root;
	char part[PCI_ADDRESS_LEN + 2]; /* "/0000:01:00.0/" */
	char driver[PCI_DRIVER_LEN];
	struct str *who;
};

/* Whether a folder of sysfs is a link to something below the function. */
static bool leads_below(struct search *s, const char *link)
{
	char target[LINK_MAX];

	return s->root->ops->link(s->root, link, target, sizeof(target)) == 0 &&
	       strstr(target, s->part);
}

static bool node_is_of(struct search *s, const char *kind, dev_t device)
{
	char path[64];

	snprintf(path, sizeof(path), "sys/dev/%s/%u:%u", kind, major(device),
		 minor(device));
	return leads_below(s, path);
}

/* NVIDIA's own driver makes its nodes without telling sysfs. */
static bool is_of_nvidia(struct search *s, const char *target)
{
	return str_equal(s->driver, "nvidia") && str_starts(target, "/dev/nvidia");
}

static bool is_open_node(void *arg, const char *link, const char *target)
{
	struct search *s = arg;
	struct stat st;

	/* the link itself leads to the node, whatever name space the process is in */
	return is_of_nvidia(s, target) ||
	       (fstatat(s->root->root_fd, link, &st, 0) == 0 &&
		(S_ISCHR(st.st_mode) || S_ISBLK(st.st_mode)) &&
		node_is_of(s, S_ISCHR(st.st_mode) ? "char" : "block", st.st_rdev));
}

/* Through device mapper and md, too: a disk that is mounted has no process. */
static bool find_mount(struct search *s, struct pci_address address)
{
	char what[128], clean[128];
	struct str w = STR_ON(what);

	if (!needed_mounted(s->root, address, &w))
		return false;
	text_clean(clean, sizeof(clean), what);
	str_join(s->who, _("a disk behind it holds "), clean, NULL);
	return true;
}

static int visit_interface(void *arg, const char *name)
{
	char path[FS_PATH_MAX], state[16];
	struct search *s = arg;
	struct str p = STR_ON(path);

	str_join(&p, "sys/class/net/", name, NULL);
	if (!leads_below(s, path))
		return 0;
	str_add(&p, "/operstate");
	if (fs_read_text(s->root, path, state, sizeof(state)) < 0 ||
	    !str_equal(state, "up"))
		return 0;
	str_join(s->who, _("the network interface "), name, _(" is up"), NULL);
	return 1;
}

bool host_users_find(struct fs *root, struct pci_address address, struct str *who)
{
	struct search s = { .root = root, .who = who };
	struct str part = STR_ON(s.part);

	/* nothing runs on a captured machine */
	if (root->captured)
		return false;
	str_add_char(&part, '/');
	pci_address_add(&part, address);
	str_add_char(&part, '/');
	if (driver_current(root, address, s.driver) < 0)
		s.driver[0] = '\0';
	return open_files_find(root, is_open_node, &s, who) || find_mount(&s, address) ||
	       root->ops->list(root, "sys/class/net", visit_interface, &s) > 0;
}
