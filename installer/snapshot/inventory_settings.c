/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inventory.h"

#include <errno.h>
#include <fnmatch.h>

#define MAX_DEPTH 4 /* folders in folders of settings */

/* Keys for Secure Boot, and of a remote unlock, lie among the settings. */
static bool is_secret(const char *path)
{
	static const char *const patterns[] = { "*.key",     "*.pem",	 "*.p12",
						"*.pfx",     "*.der",	 "*_key",
						"*private*", "*secret*", "*id_rsa*",
						"*passw*" };
	const char *name = strrchr(path, '/');

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++)
		if (fnmatch(patterns[i], name ? name + 1 : path, FNM_CASEFOLD) == 0)
			return true;
	return false;
}

static int stop(void *arg, const char *name)
{
	(void)arg, (void)name;
	return 1;
}

/* A file, or a folder with what is in it. */
static void add_tree(struct inventory *v, const char *path)
{
	unsigned depth = 0;
	int r;

	if (is_secret(path))
		return;
	r = v->root->ops->list(v->root, path, stop, NULL);
	if (r == -ENOTDIR) {
		inventory_file(v, path);
		return;
	}
	for (const char *c = path; *c; c++)
		depth += *c == '/';
	if (r < 0 || depth > MAX_DEPTH)
		return;
	inventory_folder(v, path);
	inventory_each(v, path, inventory_any, add_tree);
}

void inventory_settings(struct inventory *inventory)
{
	static const struct {
		const char *folder;
		const char *patterns[12];
	} settings[] = {
		{ "etc",
		  { "os-release", "vfio-claim.conf", "cmdline.d", "kernelstub",
		    "mkinitcpio*", "dracut.conf*", "modprobe.d", "modules*", "kernel",
		    "booster.yaml", "debian_version" } },
		/* who switches graphics */
		{ "etc", { "prime-discrete", "supergfxd.conf", "optimus-manager" } },
		{ "etc/X11", { "xorg.conf" } },
		{ "etc/udev/rules.d", { "*nvidia*" } },
		{ "usr/lib/udev/rules.d", { "*nvidia*" } },
		{ "etc/default", { "grub*", "limine*" } },
		/* the rest of it is the image's own files, keys among them */
		{ "etc/initramfs-tools",
		  { "*.conf", "modules", "conf.d", "hooks", "scripts" } },
		{ "usr/lib", { "modprobe.d", "modules-load.d", "os-release" } },
		{ "usr/lib/kernel", { "install.conf*", "cmdline" } },
		{ "boot/loader", { "entries", "loader.conf", "entries.srel" } },
		{ "efi/loader", { "entries", "loader.conf", "entries.srel" } },
		{ "boot/efi/loader", { "entries", "loader.conf", "entries.srel" } },
		{ "boot/grub", { "grub.cfg", "grubenv", "custom.cfg" } },
		{ "boot/grub2", { "grub.cfg", "grubenv", "custom.cfg" } },
		{ "boot", { "refind_linux.conf", "limine.conf", "config-*" } },
		{ "boot/limine", { "limine.conf" } },
		{ "boot/efi", { "limine.conf" } },
		{ "efi", { "limine.conf" } },
		{ "run/vfio-claim", { "*" } },
		{ "run/motd.d", { "vfio-claim" } },
	};

	for (size_t i = 0; i < ARRAY_SIZE(settings); i++)
		inventory_each(inventory, settings[i].folder, settings[i].patterns,
			       add_tree);
	inventory_file(inventory, "limine.conf");
	inventory_file(inventory, "boot/vfio-claim.record");
}
