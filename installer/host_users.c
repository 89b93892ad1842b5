/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "host_users.h"

#include <stdio.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

#include "driver.h"
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
	       (fstatat(s->root->root_fd, link, &st, 0) == 0 && S_ISCHR(st.st_mode) &&
		node_is_of(s, "char", st.st_rdev));
}

static bool find_mount(struct search *s)
{
	unsigned major_number, minor_number;
	char folder[FS_PATH_MAX], clean[FS_PATH_MAX], line[4096];
	bool found = false;
	FILE *file;

	file = fopen("/proc/self/mountinfo", "re");
	while (file && !found && fgets(line, sizeof(line), file)) {
		if (sscanf(line, "%*u %*u %u:%u %*s %255s", &major_number, &minor_number,
			   folder) != 3)
			continue;
		found = node_is_of(s, "block", makedev(major_number, minor_number));
		if (!found)
			continue;
		text_clean(clean, sizeof(clean), folder);
		str_join(s->who, "a disk behind it is mounted on ", clean, NULL);
	}
	if (file)
		fclose(file);
	return found;
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
	str_join(s->who, "the network interface ", name, " is up", NULL);
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
	return open_files_find(root, is_open_node, &s, who) || find_mount(&s) ||
	       root->ops->list(root, "sys/class/net", visit_interface, &s) > 0;
}
