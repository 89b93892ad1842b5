/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Processor, firmware and IOMMU.
 */
#include <errno.h>
#include <stdlib.h>

#include "doctor.h"
#include "iommu_words.h"
#include "kernel_config.h"

#define CPUINFO "proc/cpuinfo"
#define ACPI "sys/firmware/acpi/tables"
#define IOMMUS "sys/class/iommu"
#define GROUPS "sys/kernel/iommu_groups"

/* VT-d specification, extended capability register: interrupt remapping */
#define ECAP_IR (1u << 3)

/* ---- the processor */

/* The line "KEY : value" of the first processor, its value; NULL if there is none. */
static char *cpu_line(char *text, const char *key)
{
	const size_t len = strlen(key);

	for (char *at = text; (at = strstr(at, key)); at += len) {
		if ((at == text || at[-1] == '\n') && strspn(at + len, "\t :")) {
			at += len + strspn(at + len, "\t :");
			return at;
		}
	}
	return NULL;
}

static bool has_word(const char *line, const char *word)
{
	const size_t len = strlen(word), end = strcspn(line, "\n");

	for (size_t i = 0; i < end; i += strcspn(line + i, " \n") + 1)
		if (!strncmp(line + i, word, len) && strchr(" \n", line[i + len]))
			return true;
	return false;
}

void doctor_cpu(struct doctor *d)
{
	const char *flags, *vendor;
	size_t len;
	int r;

	/* one read() has the first processor, and there can be hundreds */
	r = d->root->ops->read(d->root, CPUINFO, FS_ATTRIBUTE, d->text, 64 * 1024, &len,
			       NULL);
	if (r < 0) {
		doctor_say_unreadable(d, CPUINFO, r);
		return;
	}
	d->text[len] = '\0';
	flags = cpu_line(d->text, "flags");
	vendor = cpu_line(d->text, "vendor_id");
	if (!flags) {
		doctor_say(d, DOCTOR_UNKNOWN, _("/%s has no flags of a processor"),
			   CPUINFO);
	} else if (has_word(flags, "vmx") || has_word(flags, "svm")) {
		doctor_say(d, DOCTOR_OK, _("%s in /%s"),
			   has_word(flags, "vmx") ? "vmx (VT-x)" : "svm (AMD-V)",
			   CPUINFO);
	} else {
		doctor_say(d, DOCTOR_PROBLEM, _("neither vmx nor svm is in /%s%s"),
			   CPUINFO,
			   has_word(flags, "hypervisor")
				   ? _("; this is a virtual machine itself")
				   : "");
		if (has_word(flags, "hypervisor"))
			doctor_mend(d, _("allow nested virtualisation on its host"));
		else
			doctor_mend(d, _("switch on %s in the firmware's set-up"),
				    vendor && str_starts(vendor, "AuthenticAMD")
					    ? "SVM (AMD-V)"
					    : _("virtualisation (VT-x, SVM)"));
	}
}

/* ---- the IOMMU */

enum iommu_kind {
	IOMMU_NONE,
	IOMMU_INTEL,
	IOMMU_AMD,
	IOMMU_OTHER,
};

/* Those that the kernel uses. */
static enum iommu_kind kernel_kind(struct doctor *d, struct doctor_names *ret)
{
	enum iommu_kind kind = IOMMU_NONE;

	if (doctor_list(d, IOMMUS, "", ret) < 0)
		*ret = (struct doctor_names){ 0 };
	for (size_t i = 0; i < ret->n; i++)
		kind = str_starts(ret->names[i], "dmar")   ? IOMMU_INTEL
		       : str_starts(ret->names[i], "ivhd") ? IOMMU_AMD
		       : kind				   ? kind
							   : IOMMU_OTHER;
	return kind;
}

static enum iommu_kind firmware_kind(const struct doctor *d)
{
	if (doctor_exists(d, ACPI "/DMAR"))
		return IOMMU_INTEL;
	return doctor_exists(d, ACPI "/IVRS") ? IOMMU_AMD : IOMMU_NONE;
}

void doctor_firmware_iommu(struct doctor *d)
{
	struct doctor_names iommus;
	const enum iommu_kind firmware = firmware_kind(d),
			      kernel = kernel_kind(d, &iommus);

	if (firmware != IOMMU_NONE) {
		doctor_say(d, DOCTOR_OK,
			   firmware == IOMMU_INTEL ? _("Intel VT-d: /%s/DMAR")
						   : _("AMD-Vi: /%s/IVRS"),
			   ACPI);
	} else if (kernel != IOMMU_NONE) {
		doctor_say(d, DOCTOR_OK, _("the kernel uses %s (/%s)"), iommus.names[0],
			   IOMMUS);
	} else if (!doctor_exists(d, ACPI)) {
		doctor_say(d, DOCTOR_UNKNOWN,
			   _("/%s is not there, so whether the firmware offers one is "
			     "not known"),
			   ACPI);
	} else {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("off in the firmware: neither DMAR (Intel) nor IVRS (AMD) "
			     "is in /%s"),
			   ACPI);
		doctor_mend(d, _("switch on VT-d (Intel) or IOMMU (AMD, often under NBIO "
				 "or AMD CBS) in the firmware's set-up"));
	}
	doctor_names_finish(&iommus);
}

/* A word of the command line that switches it off; NULL if there is none. */
static const char *switched_off(const struct doctor *d)
{
	char key[32], value[64];

	for (const char *const *word = iommu_off_words; *word; word++) {
		const char *sign = strchr(*word, '=');
		struct str s = STR_ON(key);

		str_add_n(&s, *word, (size_t)(sign - *word));
		if (doctor_argument(d, key, value, sizeof(value)) &&
		    str_equal(value, sign + 1) && iommu_off_counts(d->root, *word))
			return *word;
	}
	return NULL;
}

static void off_intel(struct doctor *d)
{
	char path[FS_PATH_MAX], value[64];
	const char built = kernel_config(d->root, d->release, "CONFIG_INTEL_IOMMU", path,
					 sizeof(path));
	const enum kernel_vtd vtd =
		kernel_config_vtd(d->root, d->release, path, sizeof(path));
	const bool asked = doctor_argument(d, "intel_iommu", value, sizeof(value)) &&
			   str_starts(value, "on");

	if (built == 'n') {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("kernel %s is built without it (CONFIG_INTEL_IOMMU in /%s)"),
			   d->release, path);
		doctor_mend(d, _("boot a kernel of the distribution"));
	} else if (kernel_config_vtd_setting(vtd) || asked) {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("off in the kernel although %s%s: /%s is empty"),
			   asked ? "intel_iommu=on" : kernel_config_vtd_setting(vtd),
			   asked ? "" : "=y", IOMMUS);
		doctor_mend(d, _("see what the kernel says: dmesg | grep -i dmar"));
	} else {
		doctor_say(d, DOCTOR_PROBLEM,
			   vtd ? _("off in the kernel: /%s is empty, and kernel %s does "
				   "not default to on (CONFIG_INTEL_IOMMU_DEFAULT_ON in "
				   "/%s)")
			       : _("off in the kernel: /%s is empty; what kernel %s "
				   "defaults to is not known (/%s)"),
			   IOMMUS, d->release, vtd ? path : "boot/config-*");
		doctor_mend(d, "vfio-claim args add intel_iommu=on");
	}
}

void doctor_kernel_iommu(struct doctor *d)
{
	const char *off = switched_off(d);
	struct doctor_names iommus;

	if (kernel_kind(d, &iommus) != IOMMU_NONE) {
		doctor_say(d, DOCTOR_OK, _("on: %s%s in /%s"), iommus.names[0],
			   iommus.n > 1 ? _(" and more") : "", IOMMUS);
	} else if (off) {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("off in the kernel: %s is on its command line "
			     "(/proc/cmdline)"),
			   off);
		doctor_mend(d, "vfio-claim args remove %s", off);
	} else if (firmware_kind(d) == IOMMU_INTEL) {
		off_intel(d);
	} else if (firmware_kind(d) == IOMMU_AMD) {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("off in the kernel: /%s is empty, though the firmware "
			     "offers AMD-Vi"),
			   IOMMUS);
		doctor_mend(d, _("see what the kernel says: dmesg | grep -i amd-vi"));
	} else {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("/%s is empty: the kernel has none to use"), IOMMUS);
		doctor_mend(d, _("first the firmware, see above; then run \"vfio-claim "
				 "doctor\" again"));
	}
	doctor_names_finish(&iommus);
}

static int count_name(void *arg, const char *name)
{
	size_t *n = arg;

	(void)name;
	++*n;
	return 0;
}

void doctor_groups(struct doctor *d)
{
	size_t n = 0;
	int r;

	r = d->root->ops->list(d->root, GROUPS, count_name, &n);
	if (r < 0 && r != -ENOENT) {
		doctor_say_unreadable(d, GROUPS, r);
	} else if (n) {
		doctor_say(d, DOCTOR_OK, _("%zu in /%s"), n, GROUPS);
	} else {
		doctor_say(d, DOCTOR_PROBLEM, _("none in /%s: nothing can be claimed"),
			   GROUPS);
		doctor_mend(d, _("they come with the IOMMU, see above"));
	}
}

/* ---- interrupt remapping */

/* 1 if this IOMMU of Intel's has it, 0 if not, or a negative errno. */
static int intel_remaps(struct doctor *d, const char *name, char *path, size_t size)
{
	struct str s;
	char text[32], *end;
	unsigned long long ecap;
	int r;

	str_init(&s, path, size);
	str_join(&s, IOMMUS "/", name, "/intel-iommu/ecap", NULL);
	r = fs_read_text(d->root, path, text, sizeof(text));
	if (r < 0)
		return r;
	ecap = strtoull(text, &end, 16);
	return *end || end == text ? -EPROTO : (ecap & ECAP_IR) != 0;
}

static void judge_intel(struct doctor *d, const struct doctor_names *iommus)
{
	char path[FS_PATH_MAX] = "";
	int r = 1;

	for (size_t i = 0; r > 0 && i < iommus->n; i++)
		if (str_starts(iommus->names[i], "dmar"))
			r = intel_remaps(d, iommus->names[i], path, sizeof(path));
	if (r < 0) {
		doctor_say_unreadable(d, path, r);
	} else if (r) {
		doctor_say(d, DOCTOR_OK, _("supported: bit 3 of /%s"), path);
	} else {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("not supported: bit 3 of /%s is 0; guests will not start"),
			   path);
		doctor_mend(d, _("look for a newer firmware; where every guest is "
				 "trusted: vfio-claim args add "
				 "vfio_iommu_type1.allow_unsafe_interrupts=1"));
	}
}

static void judge_unsafe_interrupts(struct doctor *d)
{
	static const char path[] =
		"sys/module/vfio_iommu_type1/parameters/allow_unsafe_interrupts";
	char value[8];

	if (fs_read_text(d->root, path, value, sizeof(value)) < 0 ||
	    !str_equal(value, "Y"))
		return;
	doctor_say(d, DOCTOR_WARNING,
		   _("/%s is Y: a guest can send interrupts into the host"), path);
	doctor_mend(d, _("where remapping is supported, remove allow_unsafe_interrupts=1 "
			 "from the kernel arguments and /etc/modprobe.d"));
}

void doctor_remapping(struct doctor *d)
{
	struct doctor_names iommus;
	char value[64];
	const enum iommu_kind kind = kernel_kind(d, &iommus);

	if ((doctor_argument(d, "intremap", value, sizeof(value)) &&
	     str_equal(value, "off")) ||
	    doctor_argument(d, "nointremap", value, sizeof(value))) {
		doctor_say(d, DOCTOR_PROBLEM,
			   _("switched off on the kernel's command line "
			     "(/proc/cmdline); guests will not start"));
		doctor_mend(d, "vfio-claim args remove intremap=off nointremap");
	} else if (kind == IOMMU_INTEL) {
		judge_intel(d, &iommus);
	} else if (kind == IOMMU_AMD) {
		doctor_say(d, DOCTOR_OK, _("AMD-Vi has it: /%s/%s"), IOMMUS,
			   iommus.names[0]);
	} else {
		doctor_say(d, DOCTOR_UNKNOWN, _("no IOMMU of Intel's or AMD's is in /%s"),
			   IOMMUS);
	}
	judge_unsafe_interrupts(d);
	doctor_names_finish(&iommus);
}

/* ---- reserved memory */

/* True if a line's last word is `direct`, with the line in `ret`. */
static bool has_direct(char *text, char *ret, size_t size)
{
	char *line, *lines;

	for (line = strtok_r(text, "\n", &lines); line;
	     line = strtok_r(NULL, "\n", &lines)) {
		const char *kind = strrchr(line, ' ');

		if (!kind || !str_equal(kind + 1, "direct"))
			continue;
		str_copy(ret, size, line);
		return true;
	}
	return false;
}

static void judge_regions(struct doctor *d, const struct pci_function *f, bool *found)
{
	char path[FS_PATH_MAX], group[16], address[PCI_ADDRESS_LEN], region[96];
	struct str s = STR_ON(path), a = STR_ON(address);
	int r;

	pci_device_path(path, sizeof(path), f->address, "iommu_group");
	if (fs_link_name(d->root, path, group, sizeof(group)) < 0)
		return;
	s = STR_ON(path);
	str_join(&s, GROUPS "/", group, "/reserved_regions", NULL);
	pci_address_add(&a, f->address);
	r = doctor_read(d, path);
	if (r < 0 && r != -ENOENT) {
		doctor_say_unreadable(d, path, r);
		*found = true;
	} else if (r == 0 && has_direct(d->text, region, sizeof(region))) {
		doctor_say(d, DOCTOR_WARNING,
			   _("%s: the firmware keeps memory of its own (RMRR): %s in "
			     "/%s; a guest with it will not start"),
			   address, region, path);
		doctor_mend(d, _("switch off what uses it in the firmware's set-up, or "
				 "look for a newer firmware"));
		*found = true;
	}
}

void doctor_reserved(struct doctor *d)
{
	const struct pci_list *list = &d->machine.list;
	size_t displays = 0;
	bool found = false;

	if (d->machine_error) {
		doctor_say_unreadable(d, PCI_DEVICES, d->machine_error);
		return;
	}
	for (size_t i = 0; i < list->n; i++) {
		if (!list->functions[i].known || !pci_is_display(&list->functions[i].ids))
			continue;
		displays++;
		judge_regions(d, &list->functions[i], &found);
	}
	if (!found && displays)
		doctor_say(d, DOCTOR_OK,
			   _("none in the groups of %zu display functions (/%s)"),
			   displays, GROUPS);
	else if (!found)
		doctor_say(d, DOCTOR_UNKNOWN, _("no display function is in /%s"),
			   PCI_DEVICES);
}

void doctor_no_iommu(struct doctor *d)
{
	static const char path[] =
		"sys/module/vfio/parameters/enable_unsafe_noiommu_mode";

	if (!iommu_unsafe_mode(d->root)) {
		doctor_say(d, DOCTOR_OK, _("off (/%s)"), path);
		return;
	}
	doctor_say(d, DOCTOR_PROBLEM,
		   _("on (/%s): a guest can write to all memory; nothing is claimed"),
		   path);
	doctor_mend(d,
		    _("remove enable_unsafe_noiommu_mode=1 from /etc/modprobe.d and the "
		      "kernel arguments"));
}
