/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernels: their modules, and what Secure Boot forbids them.
 */
#include <errno.h>

#include "doctor.h"

#define EFIVARS "sys/firmware/efi/efivars"
#define SECURE_BOOT EFIVARS "/SecureBoot-8be4df61-93ca-11d2-aa0d-00e098032b8c"
#define LOCKDOWN "sys/kernel/security/lockdown"

static const char *const needed[] = { "vfio_pci", "vfio_iommu_type1" };

static void judge_kernel(struct doctor *d, const char *release, struct str *good)
{
	enum doctor_module found[ARRAY_SIZE(needed)];
	enum doctor_module worst = DOCTOR_MODULE_FILE;
	const char *which = "";

	doctor_modules(d, release, needed, ARRAY_SIZE(needed), found);
	for (size_t i = 0; i < ARRAY_SIZE(needed); i++) {
		if (found[i] == DOCTOR_MODULE_FILE || found[i] == DOCTOR_MODULE_BUILTIN)
			continue;
		worst = found[i];
		which = needed[i];
	}
	if (worst == DOCTOR_MODULE_FILE) {
		str_join(good, good->len ? ", " : "", release,
			 found[0] == DOCTOR_MODULE_BUILTIN ? _(" (built in)") : "", NULL);
	} else if (worst == DOCTOR_MODULE_UNKNOWN) {
		doctor_say(d, DOCTOR_UNKNOWN,
			   _("kernel %s: the indexes in /lib/modules/%s are missing or "
			     "damaged"),
			   release, release);
		doctor_mend(d, "depmod %s", release);
	} else {
		doctor_say(d, DOCTOR_PROBLEM,
			   worst == DOCTOR_MODULE_LOST
				   ? _("kernel %s: the file of %s is gone from "
				       "/lib/modules/%s")
				   : _("kernel %s: no %s in /lib/modules/%s"),
			   release, which, release);
		doctor_mend(
			d,
			_("install all modules of this kernel (Ubuntu: "
			  "linux-modules-extra-%s; Debian: linux-image-%s), or remove "
			  "it"),
			release, release);
	}
}

void doctor_vfio_modules(struct doctor *d)
{
	char good[1024];
	struct str s = STR_ON(good);

	if (doctor_modules_ready(&s) < 0) {
		doctor_say(d, DOCTOR_UNKNOWN, "%s", good);
		return;
	}
	for (size_t i = 0; i < d->kernels.n; i++)
		judge_kernel(d, d->kernels.release[i], &s);
	if (s.len)
		doctor_say(d, DOCTOR_OK,
			   _("in every kernel of /lib/modules that is named "
			     "here: %s"),
			   good);
	if (d->kernels_error)
		doctor_say_unreadable(d, "lib/modules", d->kernels_error);
	else if (!d->kernels.n)
		doctor_say(d, DOCTOR_UNKNOWN,
			   _("no kernel is in /lib/modules (a folder with modules.dep)"));
}

void doctor_secure_boot(struct doctor *d)
{
	char data[16];
	size_t len;
	int r;

	if (!doctor_exists(d, "sys/firmware/efi")) {
		doctor_say(d, DOCTOR_OK, _("off: this machine was not booted by UEFI"));
		return;
	}
	/* four bytes of attributes, then the value */
	r = d->root->ops->read(d->root, SECURE_BOOT, FS_ATTRIBUTE, data, sizeof(data),
			       &len, NULL);
	if (r == -ENOENT && doctor_exists(d, EFIVARS)) {
		doctor_say(d, DOCTOR_OK, _("off: there is no variable /%s"), SECURE_BOOT);
	} else if (r < 0) {
		doctor_say_unreadable(d, SECURE_BOOT, r);
	} else if (len < 5) {
		doctor_say(d, DOCTOR_UNKNOWN, _("/%s is too short"), SECURE_BOOT);
	} else if (data[4] != 1) {
		doctor_say(d, DOCTOR_OK, _("off (/%s)"), SECURE_BOOT);
	} else {
		doctor_say(d, DOCTOR_OK,
			   _("on (/%s). The distribution's vfio-pci is signed and "
			     "loads; modules built here (vendor-reset, a patched kernel) "
			     "do not without a key of yours, and arguments inside a "
			     "signed unified kernel image cannot be changed"),
			   SECURE_BOOT);
	}
}

void doctor_lockdown(struct doctor *d)
{
	const char *mode;
	char text[128];
	int r;

	r = fs_read_text(d->root, LOCKDOWN, text, sizeof(text));
	if (r == -ENOENT) {
		doctor_say(d, DOCTOR_OK, _("none: /%s is not there"), LOCKDOWN);
		return;
	}
	if (r < 0) {
		doctor_say_unreadable(d, LOCKDOWN, r);
		return;
	}
	mode = strstr(text, "[integrity]")	   ? "integrity"
	       : strstr(text, "[confidentiality]") ? "confidentiality"
	       : strstr(text, "[none]")		   ? "none"
						   : NULL;
	if (!mode)
		doctor_say(d, DOCTOR_UNKNOWN, _("/%s says: %.60s"), LOCKDOWN, text);
	else if (str_equal(mode, "none"))
		doctor_say(d, DOCTOR_OK, _("none (/%s)"), LOCKDOWN);
	else
		doctor_say(d, DOCTOR_OK,
			   _("%s (/%s). Claims work; unsigned modules, hibernation and "
			     "writing to PCI registers (setpci, dumps of a card's ROM) "
			     "do not"),
			   mode, LOCKDOWN);
}
