/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel_config.h"

#include <string.h>

#include "slurp.h"
#include "str.h"
#include "text.h"

#define CONFIG_MAX (4 * 1024 * 1024) /* bytes; Debian's has 280 KB */

/* "CONFIG_X=y" or "# CONFIG_X is not set" at the start of a line. */
static char value_of(const char *text, const char *setting)
{
	const size_t len = strlen(setting);

	for (const char *at = text; (at = strstr(at, setting)); at += len) {
		if (at[len] == '=' && (at == text || at[-1] == '\n'))
			return at[len + 1];
	}
	return 'n';
}

char kernel_config(struct fs *root, const char *release, const char *setting, char *path,
		   size_t size)
{
	const char *const places[][3] = {
		{ "boot/config-", release, "" },
		{ "lib/modules/", release, "/config" },
		{ "usr/lib/modules/", release, "/config" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(places); i++) {
		TEXT_OWNED char *text = NULL;
		struct str s;
		size_t len;

		str_init(&s, path, size);
		str_join(&s, places[i][0], places[i][1], places[i][2], NULL);
		if (!s.cut && slurp(root, path, CONFIG_MAX, &text, &len) == 0)
			return value_of(text, setting);
	}
	return 0;
}

static const char *const vtd_settings[] = {
	[KERNEL_VTD_ON] = "CONFIG_INTEL_IOMMU_DEFAULT_ON",
	[KERNEL_VTD_BUT_GRAPHICS] = "CONFIG_INTEL_IOMMU_DEFAULT_ON_INTGPU_OFF",
};

const char *kernel_config_vtd_setting(enum kernel_vtd vtd)
{
	return vtd_settings[vtd];
}

enum kernel_vtd kernel_config_vtd(struct fs *root, const char *release, char *path,
				  size_t size)
{
	const char on =
		kernel_config(root, release, vtd_settings[KERNEL_VTD_ON], path, size);

	if (on == 0)
		return KERNEL_VTD_UNKNOWN;
	if (on == 'y')
		return KERNEL_VTD_ON;
	return kernel_config(root, release, vtd_settings[KERNEL_VTD_BUT_GRAPHICS], path,
			     size) == 'y'
		       ? KERNEL_VTD_BUT_GRAPHICS
		       : KERNEL_VTD_OFF;
}
