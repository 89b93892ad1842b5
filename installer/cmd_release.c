/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim release NAME: gives a claim's functions back to the host without a reboot.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "answer.h"
#include "boot.h"
#include "bootloader.h"
#include "claims.h"
#include "conf.h"
#include "initramfs.h"
#include "journal.h"
#include "patience.h"
#include "setup_conf.h"
#include "text.h"

static struct patience patience;
static bool keep;

static bool option(int letter, const char *value)
{
	if (letter != 'k')
		return patience_option(&patience, letter, value);
	keep = true;
	return true;
}

/* The configuration without the claim; without any claim left there is none. */
static int plan_without(struct fs *root, const char *name, struct changes *changes,
			struct str *why)
{
	ARGS_OWNED struct args names = { 0 };
	char *before, *after = NULL;
	struct change *change;
	bool left = false;
	int r;

	before = changes_content(changes, root, CONF_PATH, &r);
	if (before && args_add(&names, name) == 0)
		after = claims_remove(before, &names, &left);
	if (before && !after)
		r = -ENOMEM;
	if (r == 0 && after) {
		change = changes_put(changes, root, CONF_PATH, left ? after : NULL, 0644,
				     &r);
		if (change)
			change->kind = CHANGE_CONF;
	}
	if (r < 0)
		str_join(why, "/" CONF_PATH ": ", str_errno(r), NULL);
	free(after);
	free(before);
	return r;
}

/* Entries of claims name those that every boot makes, too: none may name what is gone. */
static int plan_menu(struct fs *root, const char *name, struct changes *changes,
		     struct str *why)
{
	static struct conf conf;
	char evidence[512], unknown[512], text[512];
	struct str e = STR_ON(evidence), u = STR_ON(unknown), unsaid = STR_ON(text);
	const struct bootloader *loader;
	const struct conf_claim *claim;
	bool any = false;

	if (setup_conf_load(root, &conf, &unsaid) < 0)
		return 0;
	for (unsigned i = 0; i < conf.n_claims; i++)
		any |= conf.claims[i].named;
	if (!any)
		return 0;
	loader = bootloader_find(root, &e, &u);
	if (loader && loader->menu)
		return loader->menu(root, changes);
	claim = conf_claim_find(&conf, name);
	if (claim && claim->named)
		str_join(why, _("an entry of the boot menu with vfio_claim="), name,
			 _(" is to be taken out by hand; "), NULL);
	return 0;
}

static int plan_keeping(struct fs *root, const char *name, struct changes *changes,
			struct str *why)
{
	const struct initramfs *generator;
	char evidence[512];
	struct str s = STR_ON(evidence);
	int r;

	r = plan_without(root, name, changes, why);
	if (r < 0 || !changes->n_files)
		return r;
	generator = initramfs_find(root, &s, why);
	r = generator ? generator->plan(root, changes, why) : -EOPNOTSUPP;
	return r < 0 ? r : plan_menu(root, name, changes, why);
}

/* So that the next boots do not claim it either. False, with why, if that failed. */
static bool keep_released(struct context *context, const char *name, struct str *why)
{
	struct changes changes = { .n_files = 0 };
	struct journal *journal;
	int r;

	r = journal_open(&context->root, !context->dry_run, &journal, why);
	if (r < 0)
		return false;
	r = plan_keeping(&context->root, name, &changes, why);
	if (r == 0 && (changes.n_files || journal_state(journal) == JOURNAL_UNFINISHED)) {
		if (!context->json)
			changes_print(&changes, stdout, context->colour);
		fflush(stdout);
		if (!context->dry_run)
			r = journal_apply(journal, &changes, why);
	}
	if (r == 0)
		str_add(why, context->dry_run ? _("the configuration would be without it")
					      : _("the configuration is without it"));
	changes_finish(&changes);
	journal_close(journal);
	return r == 0;
}

/* Whoever gave it back on purpose does not want to hear that it is gone. */
static void note_released(struct context *context, const char *what)
{
	struct confirmation c = { .verdict = VERDICT_RELEASED, .by_owner = true };

	str_copy(c.detail, sizeof(c.detail), what);
	(void)!boot_save_confirmation(&context->root, &c);
}

static int release(struct context *context, const char *name)
{
	char what[1024];
	struct str s = STR_ON(what);
	static struct holders holders;
	enum handover result;

	result = patience_run(context, &patience, handover_release, &holders, &s);
	if (result == HANDOVER_DONE && !context->dry_run) {
		note_released(context, what);
		if (!keep)
			str_add(&s, _("; the next boot claims it again (--keep: it does "
				      "not)"));
	}
	/* what is stuck is the host's at the next boot, too */
	if (keep && (result <= HANDOVER_NOTHING || result == HANDOVER_FAILED)) {
		str_add(&s, "; ");
		if (!keep_released(context, name, &s))
			return answer(context, "failed", what, EXIT_REFUSED);
	}
	return answer_with(context, handover_name(result), what, holders_json(&holders),
			   result <= HANDOVER_NOTHING ? EXIT_DONE : EXIT_REFUSED);
}

static int run(struct context *context)
{
	int status;

	return answer_one_claim(context, &status)
		       ? release(context, context->arguments[0])
		       : status;
}

static const struct option options[] = {
	PATIENCE_OPTIONS,
	{ "keep", no_argument, NULL, 'k' },
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command cmd_release = {
	.name = "release",
	.summary = N_("Gives a claim's functions back to the host without a reboot"),
	.arguments = "NAME",
	.help = N_(
		"Refused while a virtual machine has one of them open. The next boot claims\n"
		"them again, unless --keep says otherwise.\n\n"
		"  --when-free     wait until nobody holds them any more, and say who does\n"
		"  --timeout SECONDS  the same, for at most that long\n"
		"  --keep          take the claim out of /etc/vfio-claim.conf, too, and\n"
		"                  rebuild the images, and the menu with its entries\n"
		"  --dry-run       only say what would be done\n"),
	.options = options,
	.option = option,
	.run = run,
};
