/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup_args.h"

#include <errno.h>
#include <stdlib.h>

#include "initramfs.h"
#include "iommu.h"
#include "kargs.h"
#include "text.h"

#define CONFIG_MAX (1024 * 1024) /* bytes; Debian's has 280 KB */
#define TABLES "sys/firmware/acpi/tables/"

enum built_in { NOT_KNOWN, OFF, ON };

static enum built_in by_config(struct fs *root, const char *release)
{
	char path[FS_PATH_MAX], *text = malloc(CONFIG_MAX);
	struct str s = STR_ON(path);
	enum built_in found = NOT_KNOWN;

	str_join(&s, "boot/config-", release, NULL);
	if (text && !s.cut && fs_read_file(root, path, text, CONFIG_MAX, NULL) == 0)
		found = strstr(text, "\nCONFIG_INTEL_IOMMU_DEFAULT_ON=y\n") ? ON : OFF;
	free(text);
	return found;
}

/* The running kernel has switched it on, and nobody has told it to. */
static bool on_by_itself(struct fs *root)
{
	char cmdline[4096], word[KARGS_WORD_MAX];
	const char *p = cmdline;
	bool cut;

	if (!iommu_present(root) ||
	    fs_read_text(root, "proc/cmdline", cmdline, sizeof(cmdline)) < 0)
		return false;
	while (kargs_next(&p, word, sizeof(word), &cut))
		if (kargs_value(word, "intel_iommu"))
			return false;
	return true;
}

/* Of a kernel whose configuration is not in /boot the running one tells. */
static bool every_kernel_has_it_on(struct fs *root)
{
	static struct initramfs_kernels kernels;
	const bool running = on_by_itself(root);
	enum built_in found;

	if (initramfs_kernels(root, &kernels) < 0)
		return false;
	for (size_t i = 0; i < kernels.n; i++) {
		found = by_config(root, kernels.release[i]);
		if (found == OFF || (found == NOT_KNOWN && !running))
			return false;
	}
	return kernels.n || running;
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
