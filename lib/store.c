/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "store.h"

#include <errno.h>

#include "str.h"

#define EFIVARS "sys/firmware/efi/efivars"

/* EFI_VARIABLE_NON_VOLATILE | BOOTSERVICE_ACCESS | RUNTIME_ACCESS, little endian */
static const uint8_t attributes[4] = { 7, 0, 0, 0 };

bool store_efi_present(struct fs *root)
{
	return root->ops->exists(root, EFIVARS) == 0;
}

static void set_path(struct store *store, const char *folder, const char *name)
{
	struct str s = STR_ON(store->path);

	str_join(&s, folder, name, NULL);
}

int store_open_efi(struct fs *root, struct store *ret)
{
	int r;

	*ret = (struct store){ .kind = RECORD_EFI, .fs = *root };
	set_path(ret, root->captured ? EFIVARS "/" : "", STORE_VARIABLE);
	if (root->captured)
		return store_efi_present(root) ? 0 : -ENOENT;
	/* there is one efivarfs: mounting it again for writing changes nothing */
	r = root->ops->mount(root, "efivarfs", NULL, MOUNT_WRITE, &ret->fs);
	ret->mounted = r == 0;
	return r;
}

int store_open_partition(struct fs *root, const struct partition *partition,
			 enum mount_use use, struct store *ret)
{
	const char *folder = "";
	int r = 0;

	*ret = (struct store){ .kind = RECORD_PARTITION, .fs = *root };
	if (!root->captured) {
		if (!partition->type[0])
			return -ENODEV;
		r = root->ops->mount(root, partition->type, partition->device, use,
				     &ret->fs);
		if (r == -EBUSY && use != MOUNT_LOOK)
			r = root->ops->mount(
				root, partition->type, partition->device,
				use == MOUNT_WRITE ? MOUNT_READ : MOUNT_WRITE, &ret->fs);
		ret->mounted = r == 0;
	}
	if (r < 0)
		return r;
	/* where the root partition is the boot partition, too */
	if (ret->fs.ops->exists(&ret->fs, "boot/.") == 0)
		folder = "boot/";
	set_path(ret, folder, STORE_FILE);
	return 0;
}

void store_finish(struct store *store)
{
	if (store->mounted)
		fs_finish(&store->fs);
	store->mounted = false;
}

int store_read(struct store *store, struct record_table *ret)
{
	const size_t prefix = store->kind == RECORD_EFI ? sizeof(attributes) : 0;
	uint8_t data[RECORD_SIZE + sizeof(attributes) + 1];
	struct fs *fs = &store->fs;
	char target[FS_PATH_MAX];
	size_t len;
	int r;

	/* a link is nothing of ours, and one that leads nowhere is no first boot */
	if (store->kind == RECORD_PARTITION &&
	    fs->ops->link(fs, store->path, target, sizeof(target)) == 0)
		return -EBADMSG;
	r = fs->ops->read(fs, store->path, FS_FILE, (char *)data, sizeof(data), &len,
			  NULL);
	if (r == -ENOENT) {
		*ret = (struct record_table){ 0 };
		return 0;
	}
	if (r == -EFBIG || (r == 0 && len < prefix))
		return -EBADMSG;
	if (r < 0)
		return r;
	return record_decode(data + prefix, len - prefix, ret) ? 0 : -EBADMSG;
}

int store_write(struct store *store, const struct record_table *table)
{
	uint8_t data[sizeof(attributes) + RECORD_SIZE];
	struct fs *fs = &store->fs;

	memcpy(data, attributes, sizeof(attributes));
	record_encode(table, data + sizeof(attributes));
	if (store->kind == RECORD_EFI)
		return fs->ops->put_variable(fs, store->path, (const char *)data,
					     sizeof(data));
	return fs->ops->replace(fs, store->path, (const char *)data + sizeof(attributes),
				RECORD_SIZE, FS_DURABLE);
}

bool store_has_off_file(struct store *store)
{
	const struct fs_ops *ops = store->fs.ops;

	return ops->exists(&store->fs, "boot/" STORE_OFF_FILE) == 0 ||
	       (store->mounted && ops->exists(&store->fs, STORE_OFF_FILE) == 0);
}
