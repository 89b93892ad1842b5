/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proxmox VE with systemd-boot, which proxmox-boot-tool keeps on every EFI partition.
 * Where it boots by GRUB, /etc/default/grub counts: that is another backend's.
 */
#include <errno.h>

#include "backends.h"
#include "bls.h"
#include "kernel_words.h"
#include "mount.h"
#include "text.h"

#define UUIDS "etc/kernel/proxmox-boot-uuids"

static bool probe(struct fs *root, struct str *evidence)
{
	char name[64];
	const enum boot_started started = boot_started(root, name, sizeof(name));

	if (boot_is_bios(root) || !boot_exists(root, UUIDS) ||
	    !boot_exists(root, KERNEL_CMDLINE))
		return false;
	if (started != BOOT_SYSTEMD && started != BOOT_UNKNOWN)
		return false;
	boot_found(evidence, UUIDS);
	boot_found(evidence, KERNEL_CMDLINE);
	return true;
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	static const char *const refresh[] = { "proxmox-boot-tool", "refresh", NULL };
	int r;

	r = kernel_words_plan(root, KERNEL_CMDLINE, KERNEL_WORDS_FIRST_LINE,
			      &bootloader_proxmox, add, remove, changes, why);
	if (r < 0)
		boot_by_hand(why, "/" KERNEL_CMDLINE, add, remove,
			     "proxmox-boot-tool refresh");
	return r == 1 ? changes_run(changes, N_("write every EFI partition"), refresh,
				    NULL)
		      : r;
}

struct readback {
	const struct args *present, *absent;
	struct str *why;
};

/* The entries below `folder` of an EFI partition; -ENOENT if there are none. */
static int judge_entries(struct fs *esp, const char *folder, const char *where,
			 const struct readback *b)
{
	BLS_OWNED struct bls bls = { 0 };
	char entry[2 * FS_PATH_MAX];
	int r = bls_read(esp, folder, &bls), found = 0;

	for (size_t i = 0; i < bls.n && r == 0; i++) {
		struct str s = STR_ON(entry);

		if (!str_starts(bls.entries[i].id, "proxmox-"))
			continue;
		str_join(&s, where, "/", bls.entries[i].path, NULL);
		r = boot_judge(&bls.entries[i].options, entry, b->present, b->absent,
			       b->why);
		found++;
	}
	return r == 0 && !found ? -ENOENT : r;
}

/* As proxmox-boot-tool does it; where somebody has mounted it for writing, so do we. */
static int mount_esp(struct fs *root, const char *uuid, struct fs *ret)
{
	char device[FS_PATH_MAX];
	struct str s = STR_ON(device);
	int r;

	str_join(&s, "/dev/disk/by-uuid/", uuid, NULL);
	if (s.cut || strchr(uuid, '/'))
		return -EINVAL;
	if (!boot_exists(root, device + 1))
		return -ENODEV;
	r = root->ops->mount(root, "vfat", device, MOUNT_READ, ret);
	return r == -EBUSY ? root->ops->mount(root, "vfat", device, MOUNT_WRITE, ret) : r;
}

static int judge_esp(struct fs *root, const char *uuid, const struct readback *b)
{
	char where[FS_PATH_MAX];
	struct str s = STR_ON(where);
	struct fs esp;
	int r = mount_esp(root, uuid, &esp);

	if (r < 0)
		return r;
	str_join(&s, uuid, ":", NULL);
	r = judge_entries(&esp, "loader/entries", where, b);
	fs_finish(&esp);
	return r;
}

static const char *unread_reason(int r)
{
	return r == -ENOENT   ? _("it holds no entries of proxmox-boot-tool")
	       : r == -ENODEV ? _("it is not there")
			      : str_errno(r);
}

/* Nobody leaves them mounted: by their UUIDs, each is looked at where nobody else sees it. */
static int judge_partitions(struct fs *root, char *uuids, const struct readback *b)
{
	int r, unread = 0;
	char *save;

	for (char *uuid = strtok_r(uuids, " \t\r\n", &save); uuid;
	     uuid = strtok_r(NULL, " \t\r\n", &save)) {
		char clean[64];

		r = judge_esp(root, uuid, b);
		if (r == 0)
			continue;
		if (r == -ESTALE)
			return r;
		text_clean(clean, sizeof(clean), uuid);
		str_join(b->why, b->why->len ? " " : "", _("The EFI partition "), clean,
			 _(" was not read back: "), unread_reason(r), ".", NULL);
		unread = BOOTLOADER_UNREAD;
	}
	return unread;
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	const struct readback b = { present, absent, why };
	TEXT_OWNED char *uuids = NULL;
	char folder[FS_PATH_MAX];
	int r;

	for (const char *const *esp = boot_partitions; *esp; esp++) {
		struct str s = STR_ON(folder);

		str_join(&s, *esp, "/loader/entries", NULL);
		r = judge_entries(root, folder, "", &b);
		if (r < 0 && r != -ENOENT)
			return r;
	}
	r = boot_look(root, UUIDS, &uuids);
	return r < 0 ? r : judge_partitions(root, uuids, &b);
}

const struct bootloader bootloader_proxmox = {
	.name = "proxmox",
	.title = N_("Proxmox VE with systemd-boot"),
	.probe = probe,
	.show = kernel_words_show_first,
	.plan = plan,
	.verify = verify,
};
