/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim doctor: what this machine needs for its cards to be claimed and used, and
 * what old guides have left in it.
 */
#include "command.h"
#include "doctor.h"

static const struct doctor_check checks[] = {
	{ "cpu", N_("CPU virtualisation"), doctor_cpu },
	{ "firmware-iommu", N_("IOMMU in the firmware"), doctor_firmware_iommu },
	{ "kernel-iommu", N_("IOMMU in the kernel"), doctor_kernel_iommu },
	{ "groups", N_("IOMMU groups"), doctor_groups },
	{ "remapping", N_("Interrupt remapping"), doctor_remapping },
	{ "reserved", N_("Reserved memory of displays"), doctor_reserved },
	{ "no-iommu", N_("No-IOMMU mode"), doctor_no_iommu },
	{ "vfio-modules", N_("VFIO modules"), doctor_vfio_modules },
	{ "secure-boot", N_("Secure Boot"), doctor_secure_boot },
	{ "lockdown", N_("Kernel lockdown"), doctor_lockdown },
	{ "kvm", N_("KVM"), doctor_kvm },
	{ "qemu", N_("QEMU"), doctor_qemu },
	{ "ovmf", N_("UEFI firmware for guests"), doctor_ovmf },
	{ "libvirt", N_("libvirt"), doctor_libvirt },
	{ "user", N_("User"), doctor_user },
	{ "vfio-devices", N_("VFIO devices"), doctor_vfio_devices },
	{ "boot-loader", N_("Boot loader"), doctor_boot_loader },
	{ "initramfs", N_("Initramfs generator"), doctor_initramfs },
	{ "images", N_("Initramfs images"), doctor_images },
	{ "configuration", N_("Configuration"), doctor_conf },
	{ "configuration-file", N_("Owner and mode of it"), doctor_conf_file },
	{ "next-boot", N_("Next boot"), doctor_next_boot },
	{ "settings", N_("Settings before binding"), doctor_settings },
	{ "modprobe", N_("Leftovers in modprobe.d"), doctor_modprobe },
	{ "module-lists", N_("Leftovers in lists of modules"), doctor_module_lists },
	{ "arguments", N_("Kernel arguments"), doctor_arguments },
	{ "overrides", N_("Other tools and scripts"), doctor_overrides },
	{ "cards", N_("Graphics cards"), doctor_cards },
	{ "switchers", N_("Graphics switching"), doctor_switchers },
};

static int run(struct context *context)
{
	static struct doctor d;
	int r;

	r = doctor_begin(&d, &context->root);
	if (r == 0) {
		doctor_run(&d, checks, ARRAY_SIZE(checks));
		r = d.error;
	}
	if (r == 0 && context->json)
		r = doctor_print_json(&d, stdout);
	else if (r == 0)
		doctor_print(&d, stdout, context->colour);
	if (r < 0)
		fprintf(stderr, "vfio-claim: %s\n", str_errno(r));
	if (r == 0 && doctor_count(&d, DOCTOR_PROBLEM))
		r = -1;
	doctor_finish(&d);
	return r == 0 ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option options[] = { COMMON_OPTIONS };

const struct command cmd_doctor = {
	.name = "doctor",
	.summary = N_("What this machine lacks for claims and guests, and the mend"),
	.help = "",
	.options = options,
	.run = run,
};
