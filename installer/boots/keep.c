/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "keep.h"

#include <errno.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#define BY_PARTUUID "dev/disk/by-partuuid"

struct search {
	struct fs *root;
	const char *device; /* "sda1" */
	char *partuuid;
};

static int visit(void *arg, const char *name)
{
	struct search *search = arg;
	char path[FS_PATH_MAX], device[64];
	struct str s = STR_ON(path);

	str_join(&s, BY_PARTUUID "/", name, NULL);
	return !s.cut && fs_link_name(search->root, path, device, sizeof(device)) == 0 &&
	       str_equal(device, search->device) &&
	       record_partuuid_parse(name, search->partuuid);
}

/* The partition that holds a folder, as udev knows it. */
static bool partition_of(struct fs *root, const char *folder,
			 char partuuid[static RECORD_PARTUUID_LEN])
{
	struct search search = { .root = root, .partuuid = partuuid };
	char path[FS_PATH_MAX], device[64];
	struct str s = STR_ON(path);
	struct stat st;

	if (fstatat(root->root_fd, folder, &st, 0) < 0)
		return false;
	str_add(&s, "sys/dev/block/");
	str_add_uint(&s, major(st.st_dev));
	str_add_char(&s, ':');
	str_add_uint(&s, minor(st.st_dev));
	search.device = device;
	return fs_link_name(root, path, device, sizeof(device)) == 0 &&
	       root->ops->list(root, BY_PARTUUID, visit, &search) > 0;
}

static bool find_boot(struct fs *root, struct record *ret)
{
	static const char *const folders[] = { "boot", "boot/efi", "efi" };

	/* its boot/ stands for the partition */
	if (root->captured)
		return root->ops->exists(root, "boot/.") == 0;
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (partition_of(root, folders[i], ret->partuuid))
			return true;
	return false;
}

void keep_locate(struct fs *root, const struct conf *conf, const struct record *boot,
		 struct record *ret)
{
	*ret = (struct record){ .kind = boot->kind };
	str_copy(ret->partuuid, sizeof(ret->partuuid), boot->partuuid);
	if (boot->kind != RECORD_NONE || conf->record == CONF_RECORD_NONE)
		return;
	if (conf->record == CONF_RECORD_PARTITION) {
		ret->kind = RECORD_PARTITION;
		str_copy(ret->partuuid, sizeof(ret->partuuid), conf->partuuid);
	} else if (conf->record == CONF_RECORD_EFI || store_efi_present(root)) {
		ret->kind = RECORD_EFI;
	} else if (find_boot(root, ret)) {
		ret->kind = RECORD_PARTITION;
	}
}

int keep_open(struct fs *root, const struct record *where, bool writable,
	      struct store *ret)
{
	struct partition_finder finder = partition_finder_blkid();
	struct partition partition = { .device = "" };
	int r;

	if (!root->captured && geteuid() != 0)
		return -EPERM;
	if (where->kind == RECORD_EFI)
		return store_open_efi(root, ret);
	if (where->kind == RECORD_NONE)
		return -ENOENT;
	if (!root->captured) {
		r = finder.find(&finder, root, where->partuuid, &partition);
		if (r < 0)
			return r;
	}
	return store_open_partition(root, &partition, writable ? MOUNT_WRITE : MOUNT_READ,
				    ret);
}

int keep_confirmed(struct fs *root, const struct record *boot)
{
	struct record_table table;
	struct store store;
	int r;

	if (boot->kind == RECORD_NONE || !boot->fingerprint)
		return 0;
	r = keep_open(root, boot, false, &store);
	if (r < 0)
		return r;
	r = store_read(&store, &table);
	store_finish(&store);
	return r < 0 ? r : record_find(&table, boot->fingerprint).confirmed;
}

void keep_describe(struct str *s, const struct record *where)
{
	if (where->kind == RECORD_EFI)
		str_add(s, "EFI variable");
	else if (where->kind == RECORD_PARTITION)
		str_join(s, "boot partition ", where->partuuid, NULL);
	else
		str_add(s, "none");
}
