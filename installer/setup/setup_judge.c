/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup_judge.h"

#include <errno.h>

#include "display.h"
#include "keep.h"
#include "needed.h"
#include "next.h"
#include "offered.h"
#include "text.h"

int setup_judge_needed(struct fs *root, const struct setup_choice *choice,
		       struct str *why)
{
	for (size_t i = 0; i < choice->n; i++) {
		const struct pci_address address = choice->functions[i].function.address;

		pci_address_add(why, address);
		str_add(why, ": ");
		if (needed_by(root, address, why)) {
			str_add(why, _("; without it this machine does not run"));
			return -EPERM;
		}
		str_init(why, why->buf, why->size);
	}
	return 0;
}

/* Whether a claim takes it in the boot that is planned. */
static bool is_taken(const struct machine *m, const struct plan *plan,
		     struct pci_address address)
{
	for (unsigned i = 0; i < plan->n_claims; i++) {
		const struct plan_claim *c = &plan->claims[i];
		const struct machine_function *f = plan_functions(m, c);

		for (unsigned k = 0; c->reason != REASON_OFF && k < c->conf->n; k++)
			if (machine_function_found(&f[k]) &&
			    pci_address_compare(f[k].found.function.address, address) ==
				    0)
				return true;
	}
	return false;
}

/* Where no IOMMU is active yet, the plan has not come to the displays. */
static bool leaves_display(const struct machine *m, const struct plan *plan)
{
	bool takes = false;

	for (size_t i = 0; i < m->list.n; i++) {
		const struct pci_function *f = &m->list.functions[i];

		if (!display_is_hosts(f))
			continue;
		if (is_taken(m, plan, f->address))
			takes = true;
		else if (display_serves_host(f))
			return true;
	}
	return !takes;
}

struct judgement {
	struct next next;
	bool leaves_display;
};

static void note_setting(void *arg, enum tune result, const char *text)
{
	char clean[512];

	text_clean(clean, sizeof(clean), text);
	fprintf(arg,
		result == TUNE_E_UNREADABLE
			? "%s\n"
			: _("%s; it will be left as it is, with a warning at boot\n"),
		clean);
}

/* A box may be unplugged at the next boot. */
static void note_boxes(struct fs *root, const struct machine *machine, FILE *notes)
{
	char path[FS_PATH_MAX], removable[16], name[PCI_ADDRESS_LEN];

	for (unsigned i = 0; i < machine->n_functions; i++) {
		const struct machine_function *f = &machine->functions[i];
		const struct pci_function *found = &f->found.function;
		struct str s = STR_ON(name);

		pci_device_path(path, sizeof(path), found->address, "removable");
		if (f->conf->optional || !machine_function_found(f) ||
		    !pci_is_display(&found->ids) ||
		    fs_read_text(root, path, removable, sizeof(removable)) < 0 ||
		    !str_equal(removable, "removable"))
			continue;
		pci_address_add(&s, found->address);
		fprintf(notes,
			_("%s is in a box: with optional=yes in the lines of its functions "
			  "in /%s a boot without the box is a good one, and they are "
			  "claimed when it is plugged in\n"),
			name, CONF_PATH);
	}
}

/* Fills next.plan. False, with why, if that is not possible. */
static bool plan_next(struct fs *root, const char *text, const char *entry,
		      struct judgement *j, FILE *notes, struct str *why)
{
	struct next *next = &j->next;
	static struct machine machine;
	char release[MACHINE_RELEASE_LEN], clean[512];
	int r;

	if (strlen(text) > CONF_MAX_SIZE) {
		str_add(why, _("/" CONF_PATH " would be larger than 128 KiB"));
		return false;
	}
	if (conf_parse(text, &next->conf, &next->conf_error) < 0) {
		text_clean(clean, sizeof(clean), next->conf_error.text);
		str_add(why, _("/" CONF_PATH " would be wrong in line "));
		str_add_uint(why, next->conf_error.line);
		str_join(why, ": ", clean, NULL);
		return false;
	}
	machine_release(root, release);
	r = machine_inspect(root, &next->conf, release, &machine);
	if (r < 0) {
		str_join(why, _("the PCI functions cannot be listed: "), str_errno(r),
			 NULL);
		return false;
	}
	next_plan(entry, &machine, next);
	j->leaves_display = leaves_display(&machine, &next->plan);
	(void)offered_check(root, &next->conf, &machine, note_setting, notes);
	note_boxes(root, &machine, notes);
	machine_finish(&machine);
	return true;
}

/* What to do about it, where that is not in the detail. */
static const char *hint(const struct setup_choice *choice, enum reason reason)
{
	if (reason == REASON_LAST_DISPLAY && choice->existing)
		return _("; require-display = no in /" CONF_PATH " allows that");
	if (reason == REASON_LAST_DISPLAY)
		return _("; --no-display-ok allows that");
	if (reason == REASON_GROUP_NOT_VIABLE)
		return _("; name that one, too, if a guest may have it; a card in a "
			 "slot can go into another one");
	return "";
}

/*
 * Why boots could not be counted, or NULL. What leaves no display is then never claimed,
 * unless the owner wants no record.
 */
static const char *uncounted(struct fs *root, const struct conf *conf)
{
	const struct record nothing = { .kind = RECORD_NONE };
	struct record record;

	if (conf->record == CONF_RECORD_NONE)
		return NULL;
	keep_locate(root, conf, &nothing, &record);
	return record.kind != RECORD_NONE
		       ? NULL
		       : _("there are no EFI variables, and neither /boot nor the EFI system "
			   "partition is found, so no boot would be counted and none taken "
			   "back; mount /boot, or set record = none in /" CONF_PATH
			   " to go without");
}

int setup_judge(struct fs *root, const struct setup_choice *choice, const char *text,
		FILE *notes, struct str *why)
{
	static struct judgement j;
	const char *detail;
	enum reason reason;

	j = (struct judgement){ .leaves_display = false };
	if (!plan_next(root, text, choice->name, &j, notes, why))
		return -EINVAL;
	reason = j.next.plan.reason;
	detail = j.next.plan.detail;
	for (unsigned i = 0; reason == REASON_NONE && i < j.next.plan.n_claims; i++)
		if (str_equal(j.next.plan.claims[i].conf->name, choice->name)) {
			reason = j.next.plan.claims[i].reason;
			detail = j.next.plan.claims[i].detail;
		}
	if ((reason == REASON_NONE || reason == REASON_IOMMU_INACTIVE) &&
	    !j.leaves_display && !j.next.conf.require_display) {
		detail = uncounted(root, &j.next.conf);
		if (detail)
			reason = REASON_RECORD_UNAVAILABLE;
	}
	if (reason == REASON_NONE)
		return 0;
	/* judged behind the IOMMU, so not yet */
	if (reason == REASON_IOMMU_INACTIVE && j.next.conf.require_display &&
	    !j.leaves_display)
		reason = REASON_LAST_DISPLAY;
	if (reason == REASON_IOMMU_INACTIVE) {
		fputs(_("The IOMMU is off now, so its groups cannot be judged before the "
			"reboot. Early boot does that, and leaves the card to the host if "
			"they do not fit.\n"),
		      notes);
		return 0;
	}
	if (reason == REASON_LAST_DISPLAY)
		detail = _("the host would have no display left");
	str_join(why, reason_name(reason), ": ", detail, hint(choice, reason), NULL);
	return -EPERM;
}
