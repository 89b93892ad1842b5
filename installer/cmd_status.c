/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim status: what this boot did and why, the record, and what the next one will
 * do.
 */
#include <errno.h>
#include <stdio.h>

#include "boot.h"
#include "command.h"
#include "driver.h"
#include "entries.h"
#include "keep.h"
#include "next.h"
#include "resume.h"
#include "text.h"

#define REPORT_MAX (512 * 1024)
#define JSON_MAX (REPORT_MAX + 64 * 1024)

struct status {
	int boot_error; /* negative errno: nothing is known of this boot */
	struct report boot;
	struct confirmation confirmation;
	bool unseen; /* only root can read whether it was confirmed */
	struct resume resume;
	struct next next;
	struct next entry; /* with the menu's entry of a claim */
};

static struct status status;

/* ---- in words */

/* Early boot has told, or nobody: it only looks while something is awaited. */
static bool was_removed(struct fs *root, const struct report_function *f)
{
	char path[FS_PATH_MAX];

	pci_device_path(path, sizeof(path), f->address, NULL);
	return !f->found || root->ops->exists(root, path) == -ENOENT;
}

static void print_claim(struct fs *root, const struct report *boot,
			const struct report_claim *c)
{
	char driver[PCI_DRIVER_LEN], address[PCI_ADDRESS_LEN];
	struct str s;

	if (c->outcome == OUTCOME_CLAIMED)
		printf(_("  %s: claimed\n"), c->name);
	else if (boot_awaits(boot, c))
		printf(_("  %s: nothing of it is there yet\n"), c->name);
	else
		printf(_("  %s: the host keeps it: %s: %s\n"), c->name,
		       reason_name(c->reason), c->detail);
	for (unsigned i = c->first; i < c->first + c->n; i++) {
		const struct report_function *f = &boot->functions[i];

		/* of a claim that was kept, the reason says it */
		if (!f->found && !f->optional && c->outcome != OUTCOME_CLAIMED)
			continue;
		s = STR_ON(address);
		pci_address_add(&s, f->found ? f->address : f->configured);
		if (was_removed(root, f)) {
			printf(f->optional ? _("    %s is optional, and not there\n")
					   : _("    %s was removed\n"),
			       address);
			continue;
		}
		if (driver_current(root, f->address, driver) < 0)
			str_copy(driver, sizeof(driver), "");
		printf(_("    %s is now on %s\n"), address,
		       *driver ? driver : "no driver");
	}
}

static void print_boot(struct fs *root)
{
	static const char *const words[] = {
		[OUTCOME_KEPT] = N_("the host kept everything"),
		[OUTCOME_HELD] = N_("functions are held, and nobody settled what "
				    "becomes of them"),
		[OUTCOME_PARTIAL] = N_("claimed in part"),
		[OUTCOME_CLAIMED] = N_("claimed"),
	};
	const struct report *boot = &status.boot;

	if (status.boot_error) {
		printf("This boot: nothing is known: /" REPORT_PATH ": %s\n",
		       str_errno(status.boot_error));
		if (status.boot_error == -ENOENT)
			puts(_("  vfio-claim was not in the initramfs, or its configuration "
			       "was not"));
		return;
	}
	printf(_("This boot (kernel %s): %s\n"), boot->kernel, _(words[boot->outcome]));
	if (boot->outcome == OUTCOME_KEPT && boot->reason != REASON_NONE)
		printf("  %s: %s\n", reason_name(boot->reason), boot->detail);
	for (unsigned i = 0; i < boot->n_claims; i++)
		print_claim(root, boot, &boot->claims[i]);
	for (unsigned i = 0; i < boot->n_warnings; i++)
		printf(_("  warning: %s: %s\n"), boot->warnings[i].code,
		       boot->warnings[i].detail);
}

static void print_confirmation(struct fs *root)
{
	const struct report *boot = &status.boot;
	const char *unseen =
		status.unseen ? _(" (but for what only root can read: the record)") : "";

	if (status.boot_error || boot->outcome == OUTCOME_KEPT)
		return;
	if (status.confirmation.verdict == VERDICT_NONE) {
		if (boot->record.confirmed)
			puts(_("Since then: it equals a boot that was confirmed; not looked "
			       "at yet"));
		else if (root->ops->exists(root, TRIAL_PATH) == 0)
			printf(_("Since then: not confirmed yet%s; \"vfio-claim confirm\" does "
				 "it, and after %u min it is taken back\n"),
			       unseen, status.next.conf.trial_minutes);
		else if (boot->record.fingerprint) /* else all of it came late */
			printf(_("Since then: not confirmed yet%s; \"vfio-claim confirm\" does "
				 "it\n"),
			       unseen);
		return;
	}
	printf(_("Since then: %s\n"), status.confirmation.detail);
	if (status.confirmation.verdict != VERDICT_CONFIRMED &&
	    !status.confirmation.by_owner)
		puts(_("  Mend it and reboot; \"vfio-claim confirm --retry\" forgets the failed "
		       "attempts.\n"
		       "  To claim nothing any more: \"vfio-claim undo\"; after a set-up by hand\n"
		       "  remove /etc/vfio-claim.conf and run \"update-initramfs -u -k all\"."));
}

static void print_resume(void)
{
	if (status.resume.known)
		printf(_("When it woke up last: %s\n"), status.resume.detail);
}

static void print_record(void)
{
	const struct next *n = &status.next;
	char text[128];
	struct str s = STR_ON(text);

	keep_describe(&s, &n->record);
	printf(_("Record: %s\n"), text);
}

/* Behind "Next boot: ". */
static void print_decision(const struct next *n)
{
	if (!plan_claims(&n->plan)) {
		fputs(_("the host keeps everything"), stdout);
		if (n->plan.reason != REASON_NONE)
			printf(": %s: %s", reason_name(n->plan.reason), n->plan.detail);
		puts("");
	} else if (n->state == NEXT_CONFIRMED) {
		puts(_("claimed, like the last one that was confirmed"));
	} else if (n->state == NEXT_TRIAL) {
		printf(_("claimed on trial, attempt %u of %u\n"), n->record.attempts + 1,
		       n->conf.max_attempts);
	} else if (n->state == NEXT_UNREADABLE) {
		puts(_("depends on the record, which only root can read"));
	} else {
		puts(_("claimed, and not counted: safe mode cannot help"));
	}
}

/* What its entry does not name is not worth a word. */
static void print_refused(const struct next *n, bool entry)
{
	for (unsigned i = 0; i < n->plan.n_claims; i++) {
		const struct plan_claim *c = &n->plan.claims[i];

		if (c->reason == REASON_NONE || c->reason == n->plan.reason ||
		    (entry && c->reason == REASON_OFF))
			continue;
		printf(_("  %s: the host keeps it: %s: %s\n"), c->conf->name,
		       reason_name(c->reason), c->detail);
	}
}

static void print_next(struct fs *root)
{
	const struct next *n = &status.next;

	if (!n->configured) {
		printf("Next boot: the host keeps everything: /" CONF_PATH ": %s\n",
		       n->conf_error.text);
		return;
	}
	print_record();
	fputs(_("Next boot: "), stdout);
	print_decision(n);
	print_refused(n, false);
	for (unsigned i = 0; i < n->conf.n_claims; i++) {
		const struct conf_claim *c = &n->conf.claims[i];

		if (!c->named)
			continue;
		printf(_("With the menu's entry \"(" ENTRIES_TITLE "%s)\": "), c->name);
		next_predict(root, &status.boot, c->name, &status.entry);
		print_decision(&status.entry);
		print_refused(&status.entry, true);
	}
	puts(_("  (this kernel, the configuration as it is now, no vfio_claim= on the command "
	       "line)"));
}

/* ---- for scripts */

static void add_key(struct str *s, const char *key, const char *text)
{
	str_join(s, ", \"", key, "\": ", NULL);
	report_add_string(s, text);
}

static void add_record(struct str *s)
{
	static const char *const kinds[] = { "none", "efi", "partition" };
	static const char *const states[] = {
		[NEXT_NO_RECORD] = "none",	[NEXT_UNREADABLE] = "unreadable",
		[NEXT_TRIAL] = "trial",		[NEXT_CONFIRMED] = "confirmed",
		[NEXT_SAFE_MODE] = "safe-mode",
	};
	const struct next *n = &status.next;

	str_join(s, "{ \"kind\": \"", kinds[n->record.kind], "\"", NULL);
	add_key(s, "state", states[n->state]);
	str_add(s, ", \"attempts\": ");
	str_add_uint(s, n->record.attempts);
	str_add(s, ", \"max_attempts\": ");
	str_add_uint(s, n->conf.max_attempts);
	if (n->record.kind == RECORD_PARTITION)
		add_key(s, "partition", n->record.partuuid);
	if (n->state == NEXT_UNREADABLE)
		add_key(s, "error",
			n->error == -EBADMSG ? "damaged" : str_errno(n->error));
	str_add(s, " }");
}

static void add_reason(struct str *s, enum reason reason, const char *detail)
{
	add_key(s, "reason", reason_name(reason));
	add_key(s, "detail", detail);
}

static void add_decision(struct str *s, const struct next *n)
{
	unsigned claimed = 0, wanted = 0;

	for (unsigned i = 0; i < n->plan.n_claims; i++) {
		claimed += n->plan.claims[i].reason == REASON_NONE;
		wanted += n->plan.claims[i].reason != REASON_OFF;
	}
	str_join(s, "\"outcome\": \"",
		 outcome_name(!claimed		  ? OUTCOME_KEPT
			      : claimed == wanted ? OUTCOME_CLAIMED
						  : OUTCOME_PARTIAL),
		 "\"", NULL);
	if (!n->configured) {
		add_reason(s, REASON_CONFIG_ERROR, n->conf_error.text);
	} else if (n->plan.reason != REASON_NONE) {
		add_reason(s, n->plan.reason, n->plan.detail);
	}
	str_join(s, ", \"trial\": ", claimed && n->state == NEXT_TRIAL ? "true" : "false",
		 NULL);
}

static void add_claims(struct str *s, const struct next *n)
{
	str_add(s, ",\n    \"claims\": [");
	for (unsigned i = 0; i < n->plan.n_claims; i++) {
		const struct plan_claim *c = &n->plan.claims[i];

		str_add(s, i ? ",\n      { \"name\": " : "\n      { \"name\": ");
		report_add_string(s, c->conf->name);
		add_key(s, "outcome",
			outcome_name(c->reason ? OUTCOME_KEPT : OUTCOME_CLAIMED));
		if (c->reason)
			add_reason(s, c->reason, c->detail);
		str_add(s, " }");
	}
	str_add(s, " ]");
}

/* What the menu's entry of each claim makes of the next boot. */
static void add_entries(struct fs *root, struct str *s)
{
	const struct next *n = &status.next, *e = &status.entry;
	const struct plan_claim *claim;
	bool first = true;

	str_add(s, ",\n    \"entries\": [");
	for (unsigned i = 0; n->configured && i < n->conf.n_claims; i++) {
		if (!n->conf.claims[i].named)
			continue;
		next_predict(root, &status.boot, n->conf.claims[i].name, &status.entry);
		claim = &e->plan.claims[i];
		str_add(s, first ? "\n      { \"claim\": " : ",\n      { \"claim\": ");
		report_add_string(s, n->conf.claims[i].name);
		str_add(s, ", ");
		add_decision(s, e);
		if (claim->reason && !e->plan.reason)
			add_reason(s, claim->reason, claim->detail);
		str_add(s, " }");
		first = false;
	}
	str_add(s, " ]");
}

static void add_next(struct fs *root, struct str *s)
{
	str_add(s, "{ ");
	add_decision(s, &status.next);
	add_claims(s, &status.next);
	add_entries(root, s);
	str_add(s, " }");
}

/* As early boot wrote it: boot_load() takes only what we need. */
static void add_boot(struct fs *root, struct str *s)
{
	static char text[REPORT_MAX];

	if (status.boot_error ||
	    fs_read_file(root, REPORT_PATH, text, sizeof(text), NULL) < 0)
		str_add(s, "null");
	else
		str_add(s, text);
}

static void print_json(struct fs *root)
{
	static char buf[JSON_MAX];
	struct str s;

	str_init(&s, buf, sizeof(buf));
	str_add(&s, "{ \"version\": 1,\n  \"boot\": ");
	add_boot(root, &s);
	str_add(&s, ",\n  \"confirmation\": ");
	if (status.confirmation.verdict == VERDICT_NONE) {
		str_add(&s, "null");
	} else {
		str_join(&s, "{ \"outcome\": \"",
			 verdict_name(status.confirmation.verdict), "\"", NULL);
		add_key(&s, "detail", status.confirmation.detail);
		str_add(&s, " }");
	}
	str_add(&s, ",\n  \"resume\": ");
	if (!status.resume.known) {
		str_add(&s, "null");
	} else {
		str_join(&s, "{ \"outcome\": \"", status.resume.holds ? "holds" : "lost",
			 "\"", NULL);
		add_key(&s, "detail", status.resume.detail);
		str_add(&s, " }");
	}
	str_add(&s, ",\n  \"record\": ");
	add_record(&s);
	str_add(&s, ",\n  \"next_boot\": ");
	add_next(root, &s);
	str_add(&s, " }\n");
	fputs(s.buf, stdout);
}

/* A problem is what the owner did not ask for. */
static bool is_whole(struct fs *root, const struct report_claim *c)
{
	const struct report_function *f = &status.boot.functions[c->first];

	for (unsigned i = 0; c->outcome == OUTCOME_CLAIMED && i < c->n; i++)
		if (!f[i].optional && was_removed(root, &f[i]))
			return false;
	return true;
}

static bool all_well(struct fs *root)
{
	const struct report *boot = &status.boot;

	if (status.boot_error)
		return status.boot_error == -ENOENT && status.next.conf_missing;
	if (status.resume.known && !status.resume.holds)
		return false;
	if (boot->reason == REASON_OFF || boot->reason == REASON_DRY_RUN)
		return true;
	for (unsigned i = 0; i < boot->n_claims; i++)
		if (!is_whole(root, &boot->claims[i]))
			return false;
	return (boot->outcome == OUTCOME_CLAIMED || boot_only_awaits(boot)) &&
	       (status.confirmation.verdict <= VERDICT_CONFIRMED ||
		status.confirmation.by_owner);
}

/* `release` writes over the confirmation, `claim` removes that; the record has it. */
static void consult_record(struct fs *root)
{
	struct confirmation *c = &status.confirmation;
	int r;

	if (status.boot_error || status.boot.outcome == OUTCOME_KEPT ||
	    status.boot.record.confirmed || c->verdict != VERDICT_NONE)
		return;
	r = keep_confirmed(root, &status.boot.record);
	status.unseen = r == -EPERM;
	if (r <= 0)
		return;
	c->verdict = VERDICT_CONFIRMED;
	str_copy(
		c->detail, sizeof(c->detail),
		_("this boot was confirmed, its record says; after that a claim was given "
		  "back and taken again"));
}

static int run(struct context *context)
{
	status.boot_error = boot_load(&context->root, &status.boot);
	boot_load_confirmation(&context->root, &status.confirmation);
	consult_record(&context->root);
	resume_load(&context->root, &status.resume);
	next_predict(&context->root, &status.boot, NULL, &status.next);
	if (context->json) {
		print_json(&context->root);
	} else {
		print_boot(&context->root);
		print_confirmation(&context->root);
		print_resume();
		print_next(&context->root);
	}
	return all_well(&context->root) ? EXIT_DONE : EXIT_REFUSED;
}

static const struct option options[] = { COMMON_OPTIONS };

const struct command cmd_status = {
	.name = "status",
	.summary = N_("What this boot did and why, and what the next one will do"),
	.help = "",
	.options = options,
	.run = run,
};
