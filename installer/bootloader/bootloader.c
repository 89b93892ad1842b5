/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "bootloader.h"

#include "backends.h"
#include "boot_files.h"

/* Programs that the firmware starts: of two, only one has booted this machine. */
enum family {
	FAMILY_ANY, /* whatever starts it */
	FAMILY_STUB, /* systemd-boot, or the firmware itself */
	FAMILY_GRUB,
	FAMILY_REFIND,
	FAMILY_LIMINE,
};

/* from the special to the general */
static const struct {
	const struct bootloader *backend;
	enum family family;
} table[] = {
	{ &bootloader_rpm_ostree, FAMILY_ANY },
	{ &bootloader_proxmox, FAMILY_STUB },
	{ &bootloader_kernelstub, FAMILY_STUB },
	{ &bootloader_uki_mkinitcpio, FAMILY_STUB },
	{ &bootloader_kernel_cmdline, FAMILY_STUB },
	{ &bootloader_uki_dracut, FAMILY_STUB },
	{ &bootloader_refind, FAMILY_REFIND },
	{ &bootloader_limine, FAMILY_LIMINE },
	{ &bootloader_grubby, FAMILY_GRUB },
	{ &bootloader_grub_drop_in, FAMILY_GRUB },
	{ &bootloader_grub_default, FAMILY_GRUB },
};

/* LoaderInfo leaves no doubt about the family. */
static bool excluded(enum family family, enum boot_started started)
{
	switch (started) {
	case BOOT_GRUB:
		return family != FAMILY_GRUB && family != FAMILY_ANY;
	case BOOT_SYSTEMD:
		return family != FAMILY_STUB && family != FAMILY_ANY;
	case BOOT_REFIND:
		/* it starts unified images, too */
		return family == FAMILY_GRUB || family == FAMILY_LIMINE;
	case BOOT_LIMINE:
		return family == FAMILY_GRUB || family == FAMILY_REFIND;
	case BOOT_UNKNOWN:
	case BOOT_OTHER:
		break;
	}
	return false;
}

static void say_none(struct fs *root, const char *started, const char *unclear,
		     struct str *why)
{
	str_join(why,
		 *unclear ? _("what boots this machine cannot be told: ")
			  : _("no boot loader that vfio-claim knows was found"),
		 unclear, NULL);
	if (*started)
		str_join(why, " (", _("the firmware started"), " ", started, ")", NULL);
	if (*unclear)
		str_add(why, _("; mend that file, or add the words where your boot "
			       "loader keeps the kernel's arguments"));
	else if (boot_exists(root, "boot/loader/loader.conf") ||
		 boot_exists(root, "efi/loader/loader.conf") ||
		 boot_exists(root, "boot/efi/loader/loader.conf"))
		str_add(why, _("; systemd-boot's entries seem to be written by hand: add "
			       "the words to the line \"options\" of each file in "
			       "loader/entries"));
	else
		str_add(why,
			_("; add the words where your boot loader keeps the kernel's "
			  "arguments"));
}

const struct bootloader *bootloader_find(struct fs *root, struct str *evidence,
					 struct str *why)
{
	char name[64], other[512], unclear[512];
	const enum boot_started started = boot_started(root, name, sizeof(name));
	const struct bootloader *found = NULL;
	struct str cause = STR_ON(unclear);
	enum family family = FAMILY_ANY;

	for (size_t i = 0; i < ARRAY_SIZE(table); i++) {
		struct str s = STR_ON(other);

		if (excluded(table[i].family, started))
			continue;
		if (found && (family == FAMILY_ANY || table[i].family == family))
			continue;
		if (!table[i].backend->probe(root, &s)) {
			str_add(&cause, cause.len ? "" : other);
			continue;
		}
		if (found) {
			str_join(
				why, _("two boot loaders are equally likely: "),
				_(found->title), " (", evidence->buf, ") ", _("and"), " ",
				_(table[i].backend->title), " (", other,
				_("); remove what the one not in use has left, or add the "
				  "words by hand"),
				NULL);
			return NULL;
		}
		found = table[i].backend;
		family = table[i].family;
		str_add(evidence, other);
	}
	if (!found)
		say_none(root, name, unclear, why);
	else if (*name)
		str_join(evidence, "; ", _("the firmware started"), " ", name, NULL);
	return found;
}

const struct bootloader *bootloader_named(const char *name)
{
	for (size_t i = 0; i < ARRAY_SIZE(table); i++)
		if (str_equal(table[i].backend->name, name))
			return table[i].backend;
	return NULL;
}
