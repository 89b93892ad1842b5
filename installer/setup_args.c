/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup_args.h"

#include <errno.h>
#include <stdlib.h>

#include "initramfs.h"
#include "iommu.h"
#include "text.h"

#define CONFIG_MAX (1024 * 1024) /* bytes; Debian's has 280 KB */
#define TABLES "sys/firmware/acpi/tables/"

/* Unknown counts as not. */
static bool on_by_default(struct fs *root, const char *release)
{
	char path[FS_PATH_MAX], *text = malloc(CONFIG_MAX);
	struct str s = STR_ON(path);
	bool on;

	str_join(&s, "boot/config-", release, NULL);
	on = text && !s.cut && fs_read_file(root, path, text, CONFIG_MAX, NULL) == 0 &&
	     strstr(text, "\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n");
	free(text);
	return on;
}

static bool every_kernel_has_it_on(struct fs *root)
{
	static struct initramfs_kernels kernels;

	if (initramfs_kernels(root, &kernels) < 0 || !kernels.n)
		return false;
	for (size_t i = 0; i < kernels.n; i++)
		if (!on_by_default(root, kernels.release[i]))
			return false;
	return true;
}

int setup_args_needed(struct fs *root, struct args *ret, struct str *why)
{
	if (root->ops->exists(root, TABLES "DMAR") == 0)
		return every_kernel_has_it_on(root) ? 0 : args_add(ret, "intel_iommu=on");
	if (iommu_present(root) || root->ops->exists(root, TABLES "IVRS") == 0)
		return 0;
	str_add(why, _("the firmware offers no IOMMU: switch on VT-d (Intel) or IOMMU "
		       "(AMD) in its set-up and try again"));
	return -ENODEV;
}

const char *setup_args_switch_off(const struct args *configured)
{
	static const char *const words[] = { "intel_iommu=off", "amd_iommu=off",
					     "iommu=off", "iommu=soft" };

	for (size_t i = 0; i < ARRAY_SIZE(words); i++)
		if (args_has(configured, words[i]))
			return words[i];
	return NULL;
}
