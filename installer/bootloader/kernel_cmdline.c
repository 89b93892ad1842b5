/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * kernel-install: systemd-boot, and unified kernel images by ukify, both from
 * /etc/kernel/cmdline.
 */
#include <errno.h>
#include <stdio.h>

#include "backends.h"
#include "bls.h"
#include "kernel_words.h"

#define INSTALL_CONF "etc/kernel/install.conf"
#define UKI_CONF "etc/kernel/uki.conf"

static bool says(struct fs *root, const char *path, const char *line_begin)
{
	TEXT_OWNED char *text = NULL;

	if (boot_look(root, path, &text) < 0)
		return false;
	for (const char *line = text; *line;
	     line += strcspn(line, "\n"), line += *line == '\n')
		if (str_starts(line + strspn(line, " \t"), line_begin))
			return true;
	return false;
}

/* First line of a small file, "" if there is none. */
static void first_line(struct fs *root, const char *path, char *buf, size_t size)
{
	if (fs_read_text(root, path, buf, size) < 0)
		buf[0] = '\0';
	buf[strcspn(buf, " \t\n")] = '\0';
}

/* Made by kernel-install, rather than by hand. */
static bool is_installed(struct fs *root, const struct bls_entry *e)
{
	char id[128], token[128];

	first_line(root, "etc/machine-id", id, sizeof(id));
	first_line(root, "etc/kernel/entry-token", token, sizeof(token));
	if (!e->is_linux)
		return false;
	return (id[0] && (str_equal(e->machine_id, id) || str_starts(e->id, id))) ||
	       (token[0] && str_starts(e->id, token));
}

static bool has_entries(struct fs *root, struct str *evidence)
{
	BLS_OWNED struct bls bls = { 0 };

	if (bls_read_all(root, &bls) < 0)
		return false;
	for (size_t i = 0; i < bls.n; i++)
		if (is_installed(root, &bls.entries[i])) {
			boot_found(evidence, bls.entries[i].path);
			return true;
		}
	return false;
}

static bool has_loader(struct fs *root)
{
	char path[FS_PATH_MAX];

	for (const char *const *esp = boot_partitions; *esp; esp++) {
		struct str s = STR_ON(path);

		str_join(&s, *esp, "/loader/loader.conf", NULL);
		if (boot_exists(root, path))
			return true;
	}
	return false;
}

static bool probe(struct fs *root, struct str *evidence)
{
	char name[64];
	const enum boot_started started = boot_started(root, name, sizeof(name));

	if (boot_is_bios(root) || (!boot_exists(root, "usr/bin/kernel-install") &&
				   !boot_exists(root, "bin/kernel-install")))
		return false;
	if (started == BOOT_GRUB || started == BOOT_REFIND || started == BOOT_LIMINE)
		return false;
	if (says(root, INSTALL_CONF, "layout=uki")) {
		boot_found(evidence, INSTALL_CONF);
		return true;
	}
	if (started != BOOT_SYSTEMD && !has_loader(root))
		return false;
	return has_entries(root, evidence);
}

/*
 * Kernel by kernel: add-all came with 255, and passes over kernels that lie in /boot
 * alone, as Debian's do.
 */
static int run_install(struct fs *root, struct changes *changes)
{
	NAMES_OWNED struct name_list kernels = { 0 };
	int r;

	r = boot_kernels(root, &kernels);
	for (size_t i = 0; i < kernels.n && r == 0; i++)
		r = boot_install(root, changes, kernels.names[i]);
	return r;
}

static int menu(struct fs *root, struct changes *changes)
{
	return has_loader(root) ? bls_menu(root, changes) : 0;
}

static int entries(struct fs *root, struct changes *changes, struct str *why)
{
	int r;

	if (says(root, INSTALL_CONF, "layout=uki")) {
		boot_at(why, INSTALL_CONF, 0,
			_("it makes unified images, whose entries have their arguments "
			  "inside"));
		return -EOPNOTSUPP;
	}
	r = bls_entries(root, changes, why);
	/* a kernel that comes while the guest has the card would be told so for ever */
	if (r == 0) {
		r = kernel_words_keep(root, &bootloader_kernel_cmdline, changes);
		if (r < 0)
			boot_at(why, KERNEL_CMDLINE, 0, boot_reason(r));
	}
	return r;
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	int r;

	if (says(root, UKI_CONF, "Cmdline=")) {
		boot_at(why, UKI_CONF, 0, _("its Cmdline= overrides /" KERNEL_CMDLINE));
		r = -EINVAL;
	} else {
		r = kernel_words_plan(root, KERNEL_CMDLINE, KERNEL_WORDS_JOINED,
				      &bootloader_kernel_cmdline, add, remove, changes,
				      why);
	}
	if (r < 0)
		boot_by_hand(why, "/" KERNEL_CMDLINE, add, remove,
			     "kernel-install add VERSION IMAGE");
	return r == 1 ? run_install(root, changes) : r;
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	BLS_OWNED struct bls bls = { 0 };
	size_t count = 0;
	int r;

	r = bls_read_all(root, &bls);
	for (size_t i = 0; i < bls.n && r == 0; i++) {
		char entry[FS_PATH_MAX + 1];
		struct str s = STR_ON(entry);

		if (!is_installed(root, &bls.entries[i]))
			continue;
		str_join(&s, "/", bls.entries[i].path, NULL);
		r = boot_judge(&bls.entries[i].options, entry, present, absent, why);
		count++;
	}
	if (r == 0 && says(root, INSTALL_CONF, "layout=uki"))
		r = bls_verify_images(root, present, absent, &count, why);
	if (r == 0 && !count) {
		str_add(why, _("no entry of kernel-install's was found"));
		r = -ENOENT;
	}
	return r;
}

const struct bootloader bootloader_kernel_cmdline = {
	.name = "kernel-cmdline",
	.title = N_("kernel-install, with /etc/kernel/cmdline"),
	.probe = probe,
	.show = kernel_words_show,
	.plan = plan,
	.verify = verify,
	.menu = menu,
	.entries = entries,
	.has_entry = bls_has_entry,
	.list_entries = bls_list_entries,
	.takes_running = kernel_words_takes_running,
};
