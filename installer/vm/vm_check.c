/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim vm check DOMAIN: what is wrong with a domain for passthrough; --fix mends
 * what can be mended in its definition.
 */
#include "answer.h"
#include "check.h"
#include "domain.h"
#include "text.h"
#include "vm_commands.h"

static bool fix;

/* What --fix changes comes in the order in which it is to be changed. */
static const struct check_row rows[] = {
	{ "no-hostdev", N_("No card"), check_no_hostdev },
	{ "claim-unknown", N_("Claim"), check_claim_unknown },
	{ "address-moved", N_("Address"), check_moved },
	{ "address-doubtful", N_("Address"), check_doubtful },
	{ "function-absent", N_("Function"), check_absent },
	{ "function-changed", N_("Function"), check_changed },
	{ "function-ambiguous", N_("Function"), check_ambiguous },
	{ "device-missing", N_("Function"), check_device_missing },
	{ "companion-missing", N_("Companion"), check_companions },
	{ "not-claimed", N_("Claim"), check_not_claimed },
	{ "host-driver", N_("Driver"), check_host_driver },
	{ "group", N_("IOMMU group"), check_group },
	{ "managed", N_("Managed"), check_managed },
	{ "slots-spread", N_("Place in the guest"), check_slots },
	{ "guest-function", N_("Place in the guest"), check_guest_function },
	{ "no-pcie", N_("Machine"), check_machine },
	{ "no-ovmf", N_("Firmware"), check_no_ovmf },
	{ "ovmf-missing", N_("Firmware"), check_ovmf_files },
	{ "emulated-display", N_("Display"), check_display },
	{ "rom-missing", N_("ROM file"), check_rom_missing },
	{ "rom-invalid", N_("ROM file"), check_rom_invalid },
	{ "rom-unreadable", N_("ROM file"), check_rom_unreadable },
	{ "rom-apparmor", N_("ROM file"), check_rom_apparmor },
	{ "vfio-devices", N_("VFIO devices"), check_vfio_devices },
	{ "device-acl", N_("VFIO devices"), check_device_acl },
	{ "qemu-user", N_("QEMU's user"), check_qemu_user },
	{ "memory-limit", N_("Memory"), check_memory_limit },
	{ "memlock", N_("Memory"), check_memlock },
	{ "memory-size", N_("Memory"), check_memory_size },
	{ "hugepages", N_("Huge pages"), check_hugepages },
	{ "cpu-mode", N_("Processor"), check_cpu_mode },
	{ "cpu-topology", N_("Processor"), check_topology },
	{ "code-43", N_("Code 43"), check_code43 },
	{ "kvm-hidden", N_("Code 43"), check_kvm_hidden },
	{ "ignore-msrs", N_("KVM"), check_ignore_msrs },
	{ "tpm-several", N_("TPM"), check_tpms },
	{ "swtpm-missing", N_("TPM"), check_swtpm },
};

static int refuse(const struct context *context, const char *what)
{
	return answer(context, "refused", what, EXIT_REFUSED);
}

/* What was mended in the tree reaches the domain, or is mended no more. */
static bool save(const struct context *context, struct domain *d, struct check *c,
		 char **ret_backup, struct str *why)
{
	if (!check_count_fixed(c))
		return true;
	if (!context->json) {
		domain_diff(d, stdout, context->colour);
		fputc('\n', stdout);
	}
	if (context->dry_run) {
		check_forget_fixes(c);
		return true;
	}
	return domain_save(d, ret_backup, why);
}

static int report(const struct context *context, const struct domain *d,
		  const struct check *c, const char *backup)
{
	if (context->json) {
		if (check_print_json(c, stdout) < 0)
			return EXIT_REFUSED;
	} else {
		check_print(c, stdout, context->colour);
		if (backup)
			printf(_("What it was is in /%s.\n"), backup);
		if (backup && d->running)
			puts(_("It is running: that takes effect at its next start."));
	}
	return check_count(c, CHECK_PROBLEM) ? EXIT_REFUSED : EXIT_DONE;
}

static int check_domain(const struct context *context, struct domain *d)
{
	TEXT_OWNED char *backup = NULL;
	static struct check c;
	char why[1024];
	struct str s = STR_ON(why);
	int r, status;

	r = check_begin(&c, d->root, d->name, d->node);
	if (r == 0) {
		c.running = d->running;
		c.session = d->session;
		c.fix = fix;
		check_run(&c, rows, ARRAY_SIZE(rows));
		r = c.error;
	}
	if (r < 0)
		status = refuse(context, str_errno(r));
	else if (!save(context, d, &c, &backup, &s))
		status = refuse(context, why);
	else
		status = report(context, d, &c, backup);
	check_finish(&c);
	return status;
}

static int run(struct context *context)
{
	DOMAIN_OWNED struct domain d = { 0 };
	char why[1024];
	struct str s = STR_ON(why);

	if (context->n_arguments != 1)
		return answer(context, "usage", _("name one domain; see --help"),
			      EXIT_USAGE);
	if (!domain_open(&context->root, context->arguments[0], !fix || context->dry_run,
			 &d, &s))
		return refuse(context, why);
	return check_domain(context, &d);
}

static bool option(int c, const char *value)
{
	(void)value;
	fix = c == 'f';
	return fix;
}

static const struct option options[] = {
	{ "fix", no_argument, NULL, 'f' },
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command vm_check = {
	.name = "check",
	.summary = N_("What is wrong with a domain, and the mend"),
	.arguments = "DOMAIN",
	.help = N_(
		"Addresses that moved, functions left out, drivers, firmware, memory,\n"
		"files that QEMU may not read, and settings that old guides copied.\n\n"
		"  --fix           mend what can be mended in its definition, which is\n"
		"                  copied to /var/lib/vfio-claim/vm/backup first\n"
		"  --dry-run       with --fix: only show the difference\n"),
	.options = options,
	.option = option,
	.run = run,
};
