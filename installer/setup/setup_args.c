/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup_args.h"

#include <errno.h>

#include "card.h"
#include "initramfs.h"
#include "iommu.h"
#include "iommu_words.h"
#include "kernel_config.h"
#include "machine.h"
#include "text.h"

#define INTEL 0x8086
#define TABLES "sys/firmware/acpi/tables/"

/* The running kernel has switched it on, and nobody has told it to. */
static bool on_by_itself(struct fs *root)
{
	return iommu_present(root) && !iommu_word_given(root, "intel_iommu", NULL);
}

/*
 * `graphics`: for Intel's own graphics, too. Where the running kernel's configuration says
 * off and it is on all the same, the firmware has opted in for every kernel; of one whose
 * configuration cannot be found the running kernel tells.
 */
static bool every_kernel_has_it_on(struct fs *root, bool graphics)
{
	static struct initramfs_kernels kernels;
	char path[FS_PATH_MAX], running[MACHINE_RELEASE_LEN];
	const bool on = on_by_itself(root);
	bool opted_in;

	if (initramfs_kernels(root, &kernels) < 0)
		return false;
	machine_release(root, running);
	opted_in = on &&
		   kernel_config_vtd(root, running, path, sizeof(path)) == KERNEL_VTD_OFF;
	for (size_t i = 0; i < kernels.n; i++) {
		const enum kernel_vtd vtd =
			kernel_config_vtd(root, kernels.release[i], path, sizeof(path));

		if (vtd == KERNEL_VTD_ON || (vtd == KERNEL_VTD_BUT_GRAPHICS && !graphics))
			continue;
		if (vtd == KERNEL_VTD_UNKNOWN ? !on : !opted_in)
			return false;
	}
	return kernels.n || on;
}

/* The processor's, which sits on the root bus. */
static bool has_intel_graphics(const struct card_function *functions, size_t n)
{
	for (size_t i = 0; i < n; i++)
		if (pci_is_display(&functions[i].function.ids) &&
		    functions[i].function.ids.vendor == INTEL &&
		    functions[i].function.address.bus == 0)
			return true;
	return false;
}

int setup_args_needed(struct fs *root, const struct setup_choice *choice,
		      struct args *ret, struct str *why)
{
	if (root->ops->exists(root, TABLES "DMAR") == 0)
		return every_kernel_has_it_on(
			       root, has_intel_graphics(choice->functions, choice->n))
			       ? 0
			       : args_add(ret, "intel_iommu=on");
	if (iommu_present(root) || root->ops->exists(root, TABLES "IVRS") == 0)
		return 0;
	str_add(why, _("the firmware offers no IOMMU: switch on VT-d (Intel) or IOMMU "
		       "(AMD) in its set-up and try again"));
	return -ENODEV;
}

const char *setup_args_switch_off(struct fs *root, const struct args *configured)
{
	for (size_t i = 0; i < configured->n; i++) {
		const char *word = iommu_off_word(configured->words[i]);

		if (word && iommu_off_counts(root, word))
			return word;
	}
	return NULL;
}
