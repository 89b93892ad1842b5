/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Proxmox VE with systemd-boot, which proxmox-boot-tool keeps on every EFI partition.
 * Where it boots by GRUB, /etc/default/grub counts: that is another backend's.
 */
#include <errno.h>

#include "backends.h"
#include "bls.h"
#include "kernel_words.h"

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

	r = kernel_words_plan(root, KERNEL_CMDLINE, false, &bootloader_proxmox, add,
			      remove, changes, why);
	if (r < 0)
		boot_by_hand(why, "/" KERNEL_CMDLINE, add, remove,
			     "proxmox-boot-tool refresh");
	return r == 1 ? changes_run(changes, N_("write every EFI partition"), refresh,
				    NULL)
		      : r;
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	char folder[FS_PATH_MAX], entry[FS_PATH_MAX + 1];
	size_t count = 0;
	int r = 0;

	for (const char *const *esp = boot_partitions; *esp && r == 0; esp++) {
		BLS_OWNED struct bls bls = { 0 };
		struct str s = STR_ON(folder);

		str_join(&s, *esp, "/loader/entries", NULL);
		r = bls_read(root, folder, &bls);
		for (size_t i = 0; i < bls.n && r == 0; i++) {
			if (!str_starts(bls.entries[i].id, "proxmox-"))
				continue;
			s = STR_ON(entry);
			str_join(&s, "/", bls.entries[i].path, NULL);
			r = boot_judge(&bls.entries[i].options, entry, present, absent,
				       why);
			count++;
		}
	}
	if (r == 0 && !count) {
		str_add(why, _("the EFI partitions are not mounted, as proxmox-boot-tool "
			       "keeps them"));
		r = -ENOENT;
	}
	return r;
}

const struct bootloader bootloader_proxmox = {
	.name = "proxmox",
	.title = N_("Proxmox VE with systemd-boot"),
	.probe = probe,
	.show = kernel_words_show,
	.plan = plan,
	.verify = verify,
};
