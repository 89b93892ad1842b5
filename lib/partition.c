/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "partition.h"

#include <blkid.h>
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "str.h"

struct search {
	struct fs *root;
	const char *partuuid;
	struct partition *found;
	bool hibernated;
};

/* Superblock and partition entry of one device; false if either cannot be had. */
static void probe(struct search *search, const char *device)
{
	const char *type = "", *uuid = "";
	blkid_probe probe;
	int fd;

	fd = openat(search->root->root_fd, device + 1, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	if (fd < 0)
		return;
	probe = blkid_new_probe();
	if (probe && blkid_probe_set_device(probe, fd, 0, 0) == 0) {
		blkid_probe_enable_superblocks(probe, 1);
		blkid_probe_set_superblocks_flags(probe, BLKID_SUBLKS_TYPE);
		blkid_probe_enable_partitions(probe, 1);
		blkid_probe_set_partitions_flags(probe, BLKID_PARTS_ENTRY_DETAILS);
		(void)blkid_do_safeprobe(probe);
		(void)blkid_probe_lookup_value(probe, "TYPE", &type, NULL);
		(void)blkid_probe_lookup_value(probe, "PART_ENTRY_UUID", &uuid, NULL);
		if (str_equal(type, "swsuspend"))
			search->hibernated = true;
		if (str_equal(uuid, search->partuuid)) {
			struct partition *p = search->found;

			str_copy(p->partuuid, sizeof(p->partuuid), uuid);
			str_copy(p->device, sizeof(p->device), device);
			str_copy(p->type, sizeof(p->type), type);
		}
	}
	blkid_free_probe(probe);
	close(fd);
}

static int visit(void *arg, const char *name)
{
	struct search *search = arg;
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, "sys/class/block/", name, "/partition", NULL);
	if (s.cut || search->root->ops->exists(search->root, path) < 0)
		return 0;
	s = STR_ON(path);
	str_join(&s, "/dev/", name, NULL);
	/* sysfs has ! for the / of "cciss/c0d0p1" */
	for (char *c = path; *c; c++)
		if (*c == '!')
			*c = '/';
	if (s.len < sizeof(search->found->device))
		probe(search, path);
	return 0;
}

static int find(struct partition_finder *finder, struct fs *root, const char *partuuid,
		struct partition *ret)
{
	struct partition found = { .device = "" };
	struct search search = { .root = root, .partuuid = partuuid, .found = &found };
	int r;

	(void)finder;
	r = root->ops->list(root, "sys/class/block", visit, &search);
	if (r < 0)
		return r;
	if (search.hibernated)
		return -EBUSY;
	if (!found.device[0])
		return -ENOENT;
	*ret = found;
	return 0;
}

struct partition_finder partition_finder_blkid(void)
{
	return (struct partition_finder){ .find = find };
}
