// SPDX-License-Identifier: GPL-2.0-or-later
/* Proxmox' EFI partitions, which nobody leaves mounted: each is read back by its UUID. */
#include <errno.h>
#include <string.h>

#include "backends.h"
#include "images.h"

#define UUIDS "etc/kernel/proxmox-boot-uuids"
#define BY_UUID "dev/disk/by-uuid/"
#define ENTRY "/loader/entries/proxmox-6.8.12-1-pve.conf"

static struct {
	enum mount_use busy; /* somebody has them mounted otherwise */
	unsigned mounted;
} esps;

/* A partition is a folder of the same name; what is written there would be seen. */
static int mount(struct fs *fs, const char *type, const char *source, enum mount_use use,
		 struct fs *ret)
{
	static const char folder[] = "/dev/disk/by-uuid/";
	char path[64];
	struct str s = STR_ON(path);

	(void)fs;
	assert_string_equal(type, "vfat");
	assert_true(str_starts(source, folder));
	if (use == MOUNT_READ && esps.busy == MOUNT_WRITE)
		return -EBUSY;
	str_join(&s, "esp/", source + strlen(folder), NULL);
	esps.mounted++;
	return fs_init(ret, full(path));
}

static void put_entry(const char *uuid, const char *options)
{
	char path[128], text[128];
	struct str s = STR_ON(path), t = STR_ON(text);

	str_join(&s, "esp/", uuid, ENTRY, NULL);
	str_join(&t, "title Proxmox\nlinux /EFI/proxmox/vmlinuz\noptions ", options, "\n",
		 NULL);
	put(path, text);
	s = STR_ON(path);
	str_join(&s, BY_UUID, uuid, NULL);
	put(path, "");
}

/* How it is judged that every entry has "iommu=pt", and what is said. */
static void assert_judged(int wanted, const char *said)
{
	struct fs_ops ops = *images_fs.ops;
	struct fs root = images_fs;
	char text[512];
	struct str why = STR_ON(text);
	const struct args none = { 0 }, pt = { (char *[]){ (char[]){ "iommu=pt" } }, 1 };

	ops.mount = mount;
	root.ops = &ops;
	assert_int_equal(bootloader_proxmox.verify(&root, &pt, &none, &why), wanted);
	if (*said)
		assert_contains(text, said);
	else
		assert_string_equal(text, "");
}

static void test_all_of_them(void **state __attribute__((unused)))
{
	put(UUIDS, "AAAA-0001\nAAAA-0002\n");
	put_entry("AAAA-0001", "root=ZFS=rpool quiet iommu=pt");
	put_entry("AAAA-0002", "root=ZFS=rpool quiet iommu=pt");
	esps.mounted = 0;
	assert_judged(0, "");
	assert_int_equal(esps.mounted, 2);
	esps.busy = MOUNT_WRITE;
	assert_judged(0, "");
	esps.busy = MOUNT_READ;
	/* the second disk of a mirror counts like the first */
	put_entry("AAAA-0002", "root=ZFS=rpool quiet");
	assert_judged(-ESTALE, "AAAA-0002:" ENTRY);
}

static void test_unread(void **state __attribute__((unused)))
{
	put(UUIDS, "AAAA-0001\nAAAA-0003\n");
	put_entry("AAAA-0001", "root=ZFS=rpool iommu=pt");
	assert_judged(BOOTLOADER_UNREAD,
		      "The EFI partition AAAA-0003 was not read back: it is not there.");
	/* one that boots by GRUB */
	put("esp/AAAA-0003/grub/grub.cfg", "");
	put(BY_UUID "AAAA-0003", "");
	assert_judged(BOOTLOADER_UNREAD, "holds no entries");
	put_entry("AAAA-0003", "root=ZFS=rpool");
	assert_judged(-ESTALE, "AAAA-0003:");
	put(UUIDS, "../x\n");
	assert_judged(BOOTLOADER_UNREAD, "../x was not read back");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		ON_A_TREE(test_all_of_them),
		ON_A_TREE(test_unread),
	};

	return cmocka_run_group_tests_name("proxmox", tests, NULL, NULL);
}
