/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The guest's machine: board, firmware, display and TPM.
 */
#include <errno.h>

#include "check.h"
#include "text.h"

void check_machine(struct check *c)
{
	char machine[64];

	if (hostdev_express(c->domain))
		return;
	if (!tree_get(tree_at(c->domain, "os/type"), "machine", machine, sizeof(machine)))
		str_copy(machine, sizeof(machine), "pc");
	check_say(c, CHECK_WARNING,
		  _("the machine %s has no PCI Express: the card sits on a bus that it "
		    "was not made for, and many drivers refuse it"),
		  machine);
	check_mend(c, _("a new domain with q35, and the old one's disk: the machine of "
			"one that exists cannot be changed with its addresses"));
}

/* ---- firmware */

static bool is_uefi(const struct check *c)
{
	const xmlNode *os = tree_first(c->domain, "os");
	const xmlNode *loader = tree_first(os, "loader");
	char path[CHECK_PATH_MAX];

	return tree_is(os, "firmware", "efi") || tree_is(loader, "type", "pflash") ||
	       (tree_content(loader, path, sizeof(path)) &&
		(strstr(path, "OVMF") || strstr(path, "edk2")));
}

void check_no_ovmf(struct check *c)
{
	if (is_uefi(c))
		return;
	check_say(c, CHECK_WARNING,
		  _("its firmware is SeaBIOS, not OVMF: the card needs a ROM for old "
		    "BIOSes and VGA arbitration, and Windows 11 does not install"));
	check_mend(c, _("a guest that boots by BIOS does not boot by UEFI: make a new "
			"domain with <os firmware='efi'>"));
}

static void need_file(struct check *c, const char *path)
{
	if (!check_missing(c, path))
		return;
	check_say(c, CHECK_PROBLEM, _("%s is not there, and the domain starts with it"),
		  path);
	check_mend(c,
		   _("install OVMF (Debian: ovmf, Fedora and Arch: edk2-ovmf), or "
		     "virsh edit %s where it is elsewhere"),
		   c->name);
}

static bool has_descriptors(const struct check *c)
{
	return !check_missing(c, "usr/share/qemu/firmware") ||
	       !check_missing(c, "etc/qemu/firmware");
}

void check_ovmf_files(struct check *c)
{
	const xmlNode *os = tree_first(c->domain, "os"), *nvram = tree_first(os, "nvram");
	char path[CHECK_PATH_MAX], template[CHECK_PATH_MAX];

	if (!is_uefi(c))
		return;
	if (tree_content(tree_first(os, "loader"), path, sizeof(path)) && *path) {
		need_file(c, path);
	} else if (!has_descriptors(c)) {
		check_say(c, CHECK_PROBLEM,
			  _("it wants firmware='efi', and no firmware is described in "
			    "/usr/share/qemu/firmware"));
		check_mend(c, _("install OVMF (Debian: ovmf, Fedora and Arch: "
				"edk2-ovmf)"));
	}
	/* libvirt copies the template to what is not there yet */
	if (tree_get(nvram, "template", template, sizeof(template)) &&
	    (!tree_content(nvram, path, sizeof(path)) || !*path ||
	     check_missing(c, path)))
		need_file(c, template);
}

/* ---- devices */

void check_display(struct check *c)
{
	const xmlNode *video = tree_at(c->domain, "devices/video");
	char model[32];

	if (!video || !check_has_display(c) ||
	    !tree_get(tree_first(video, "model"), "type", model, sizeof(model)) ||
	    str_equal(model, "none"))
		return;
	check_say(
		c, CHECK_NOTE,
		_("the guest has an emulated display (%s) beside the card: firmware and "
		  "boot loader show there, and Windows may take it for the first one"),
		model);
	check_mend(c,
		   _("once the card shows a picture: virsh edit %s, <video><model "
		     "type='none'/></video>, and no <graphics>"),
		   c->name);
}

/* QEMU's x86 machines take one. */
void check_tpms(struct check *c)
{
	const xmlNode *tpm = tree_at(c->domain, "devices/tpm");
	size_t n = 0;

	for (; tpm; tpm = tree_next(tpm, "tpm"))
		n++;
	if (n < 2)
		return;
	check_say(c, CHECK_PROBLEM, _("it has %zu TPMs, and a machine takes one"), n);
	check_mend(c, _("virsh edit %s: remove all <tpm> but one"), c->name);
}

void check_swtpm(struct check *c)
{
	const xmlNode *tpm = tree_at(c->domain, "devices/tpm");

	while (tpm && !tree_is(tree_first(tpm, "backend"), "type", "emulator"))
		tpm = tree_next(tpm, "tpm");
	if (!tpm || !check_missing(c, "usr/bin/swtpm") ||
	    !check_missing(c, "usr/local/bin/swtpm"))
		return;
	check_say(c, CHECK_PROBLEM,
		  _("it has an emulated TPM, and /usr/bin/swtpm is not there"));
	check_mend(c, _("install swtpm (Debian: swtpm swtpm-tools, Fedora: swtpm-tools, "
			"Arch: swtpm)"));
}
