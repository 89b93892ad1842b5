// SPDX-License-Identifier: GPL-2.0-or-later
#include "initrd_units.h"

#include <sys/stat.h>

#include "initramfs.h"
#include "text.h"

static const char *const names[INITRD_UNITS] = { "vfio-claim-start.service",
						 "vfio-claim-settle.service" };

void initrd_units_see(struct initrd_units *units, const struct image_entry *entry)
{
	const char *at = entry->path;

	(void)!str_take_text(&at, "usr/");
	if (!str_take_text(&at, "lib/systemd/system"))
		return;
	units->systemd |= str_equal(at, "d");
	if (!str_take_char(&at, '/'))
		return;
	for (size_t i = 0; i < INITRD_UNITS; i++) {
		const char *wants = at;

		if (str_equal(at, names[i]))
			units->there[i] = S_ISREG(entry->mode);
		else if (str_take_text(&wants, "initrd.target.wants/") &&
			 str_equal(wants, names[i]))
			units->wanted[i] = true;
	}
}

void initrd_units_judge(const struct initrd_units *units, struct str *why)
{
	for (size_t i = 0; i < INITRD_UNITS; i++)
		if (!units->there[i])
			initramfs_miss(why, names[i], _(" is not in it"));
		else if (!units->wanted[i])
			initramfs_miss(why, names[i], _(" is not started in it"));
}
