/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRUB of Arch, openSUSE and others: everything stands in /etc/default/grub.
 */
#include <errno.h>

#include "backends.h"
#include "grub.h"

static bool probe(struct fs *root, struct str *evidence)
{
	if (!boot_exists(root, GRUB_DEFAULT))
		return false;
	grub_found(root, evidence);
	return true;
}

static int show(struct fs *root, struct args *ret)
{
	return grub_show(root, false, ret);
}

/* What makes the menu, and where. */
static const char *const *command(struct fs *root)
{
	static const char *const grub[] = { "grub-mkconfig", "-o", "/boot/grub/grub.cfg",
					    NULL };
	static const char *const grub2[] = { "grub2-mkconfig", "-o",
					     "/boot/grub2/grub.cfg", NULL };

	return boot_exists(root, "boot/grub2") ||
			       boot_exists(root, "usr/sbin/grub2-mkconfig")
		       ? grub2
		       : grub;
}

static int menu(struct fs *root, struct changes *changes)
{
	return changes_run(changes, N_("write GRUB's menu"), command(root), NULL);
}

static int edit(struct shell *shell, const struct args *missing,
		const struct args *remove, struct shell_problem *problem)
{
	int r = 0;

	for (const char *const *key = grub_keys; *key && r == 0; key++)
		r = shell_remove(shell, *key, remove, problem);
	if (r == 0 && missing->n)
		r = shell_append(shell, GRUB_KEY, 0, missing, problem);
	return r;
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	SHELL_OWNED struct shell shell = { 0 };
	ARGS_OWNED struct args missing = { 0 };
	const struct shell_file *f;
	int r;

	r = grub_edit(root, changes, false, add, remove, edit,
		      boot_exists(root, "boot/grub2") ? "grub2-mkconfig"
						      : "grub-mkconfig",
		      &shell, &missing, why);
	if (r < 0)
		return r;
	f = &shell.files[0];
	if (f->before && str_equal(f->before, f->text))
		return 0;
	r = boot_put(changes, root, GRUB_DEFAULT, f->text, 0644, &bootloader_grub_default,
		     &missing);
	return r < 0 ? r : menu(root, changes);
}

static int entries(struct fs *root, struct changes *changes, struct str *why)
{
	(void)changes;
	return grub_entries(root, false, why);
}

const struct bootloader bootloader_grub_default = {
	.name = "grub-default",
	.title = N_("GRUB"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = grub_verify,
	.menu = menu,
	.entries = entries,
	.has_entry = grub_has_entry,
	.list_entries = grub_list_entries,
};
