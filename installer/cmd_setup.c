/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim setup: from a choice of functions to a machine that claims them at its next
 * boot.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "change_json.h"
#include "command.h"
#include "entries.h"
#include "journal.h"
#include "prompt.h"
#include "setup.h"
#include "text.h"

static struct {
	const char *name; /* --name, --entry and --no-entry */
	bool again; /* two of them, with different names */
	bool yes, only, named;
	struct setup_options options;
} chosen;

static bool option(int letter, const char *value)
{
	if (strchr("neE", letter)) {
		chosen.again |= chosen.name && !str_equal(chosen.name, value);
		chosen.name = value;
		chosen.named |= letter == 'n';
		chosen.options.entry |= letter == 'e';
		chosen.options.no_entry |= letter == 'E';
	} else if (letter == 'y')
		chosen.yes = true;
	else if (letter == 'o')
		chosen.only = true;
	else if (letter == 'd')
		chosen.options.no_display_ok = true;
	else if (letter == 'p')
		chosen.options.iommu_pt = true;
	else
		chosen.options.ignore_msrs = true;
	return true;
}

/* ---- what is said */

static void add_functions(struct json_object *object, const struct setup_choice *choice)
{
	struct json_object *functions = json_object_new_array();
	char address[PCI_ADDRESS_LEN];
	struct str s;

	for (size_t i = 0; i < choice->n; i++) {
		s = STR_ON(address);
		pci_address_add(&s, choice->functions[i].function.address);
		json_object_array_add(functions, json_object_new_string(address));
	}
	json_object_object_add(object, "claim", json_object_new_string(choice->name));
	json_object_object_add(object, "functions", functions);
}

static void add_graphics(struct json_object *object,
			 const struct setup_proposals *proposals)
{
	struct json_object *all = json_object_new_array(), *one;

	for (size_t i = 0; i < proposals->n; i++) {
		one = json_object_new_object();
		json_object_object_add(
			one, "evidence",
			json_object_new_string(proposals->all[i].evidence));
		json_object_object_add(one, "mend",
				       json_object_new_string(proposals->all[i].mend));
		json_object_array_add(all, one);
	}
	json_object_object_add(object, "graphics", all);
}

/* The last words of a run. `plan` and `choice` may be NULL. */
static int finish(struct context *context, const char *outcome, const char *detail,
		  const struct setup_choice *choice, const struct setup_plan *plan,
		  int status)
{
	struct json_object *object;

	if (!context->json) {
		fprintf(status == EXIT_DONE ? stdout : stderr, "%s%s\n",
			status == EXIT_DONE ? "" : "vfio-claim: ", detail);
		return status;
	}
	object = json_object_new_object();
	json_object_object_add(object, "version", json_object_new_int(1));
	json_object_object_add(object, "outcome", json_object_new_string(outcome));
	json_object_object_add(object, "detail", json_object_new_string(detail));
	if (choice)
		add_functions(object, choice);
	if (plan)
		json_object_object_add(object, "entry",
				       json_object_new_boolean(plan->named));
	changes_add_json(object, plan ? &plan->changes : NULL);
	if (plan)
		add_graphics(object, &plan->graphics);
	if (plan && *plan->notes)
		json_object_object_add(object, "notes",
				       json_object_new_string(plan->notes));
	puts(json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return status;
}

static void print_plan(struct context *context, const struct setup_choice *choice,
		       const struct setup_plan *plan)
{
	char address[PCI_ADDRESS_LEN];
	struct str s;

	if (context->json)
		return;
	printf(_("The claim %s takes:\n"), choice->name);
	for (size_t i = 0; i < choice->n; i++) {
		s = STR_ON(address);
		pci_address_add(&s, choice->functions[i].function.address);
		printf("  %s  %s\n", address, choice->functions[i].name);
	}
	if (plan->named)
		printf(_("The boot menu's entry \"(" ENTRIES_TITLE
			 "%s)\" claims it; every "
			 "other boot leaves it to the host.\n"),
		       choice->name);
	printf(_("Boot loader: %s. Initramfs: %s.\n\n"), plan->bootloader->title,
	       plan->initramfs->name);
	changes_print(&plan->changes, stdout, context->colour);
	fputs(plan->notes, stdout);
	fflush(stdout);
}

/* ---- what is done */

static bool agreed(struct context *context)
{
	if (chosen.yes || context->root.captured)
		return true;
	return prompt_possible() && prompt_yes(_("Do that?"));
}

/* Behind what could not be read back, if there is such a thing. */
static void done_words(struct str *s, const struct setup_plan *plan, bool unread)
{
	if (!unread)
		str_init(s, s->buf, s->size);
	str_add(s, unread ? _(" Done. ") : _("Done, and read back. "));
	if (plan->named)
		str_join(s, _("Reboot and choose the entry \"(" ENTRIES_TITLE),
			 plan->claim,
			 _(")\" of the boot menu (Esc shows one that is hidden); "),
			 NULL);
	else
		str_add(s, _("Reboot; "));
	str_add(s,
		_("that boot is a trial, and \"vfio-claim status\" says what became of "
		  "it.\n\"vfio-claim undo\" takes it all back, from a text console, "
		  "too."));
}

static int apply(struct context *context, struct journal *journal,
		 const struct setup_choice *choice, const struct setup_plan *plan)
{
	char why[2048];
	struct str s = STR_ON(why);
	int r;

	if (!agreed(context))
		return finish(
			context, "refused",
			prompt_possible()
				? _("nothing was changed")
				: _("nothing was changed: there is no terminal to ask; "
				    "--yes does it"),
			choice, plan, EXIT_REFUSED);
	if (journal_apply(journal, &plan->changes, &s) < 0)
		return finish(context, "failed", why, choice, plan, EXIT_REFUSED);
	if (context->root.captured)
		return finish(
			context, "done",
			_("The files are written; the programs above were not run."),
			choice, plan, EXIT_DONE);
	r = setup_verify(&context->root, plan, &s);
	if (r < 0) {
		str_add(&s,
			_(". Do not reboot before that is mended; \"vfio-claim undo\" "
			  "takes everything back."));
		return finish(context, "failed", why, choice, plan, EXIT_REFUSED);
	}
	done_words(&s, plan, r == BOOTLOADER_UNREAD);
	return finish(context, "done", why, choice, plan, EXIT_DONE);
}

/* True if nothing is to be written and every image is as it should be already. */
static bool in_place(struct context *context, const struct setup_plan *plan)
{
	char ignored[1024];
	struct str s = STR_ON(ignored);

	return !plan->changes.n_files && !context->root.captured &&
	       setup_verify(&context->root, plan, &s) >= 0;
}

static int carry_out(struct context *context, struct journal *journal,
		     const struct setup_choice *choice)
{
	struct setup_plan plan;
	char why[2048];
	struct str s = STR_ON(why);
	int r;

	r = setup_make_plan(&context->root, choice, &chosen.options, &plan, &s);
	if (r < 0)
		return finish(context, "refused", why, choice, NULL, EXIT_REFUSED);
	if (journal_state(journal) != JOURNAL_UNFINISHED && in_place(context, &plan)) {
		r = finish(context, "unchanged",
			   _("Everything is in place already: nothing to change."),
			   choice, &plan, EXIT_DONE);
	} else {
		print_plan(context, choice, &plan);
		r = context->dry_run
			    ? finish(context, "dry-run",
				     _("Nothing was changed: this was a dry run."),
				     choice, &plan, EXIT_DONE)
			    : apply(context, journal, choice, &plan);
	}
	setup_plan_finish(&plan);
	return r;
}

/*
 * The name of a claim that may be there, or NULL: the one argument, where it is no
 * address, or that of --entry and --no-entry alone.
 */
static const char *names_claim(const struct context *context)
{
	const char *name = context->n_arguments ? context->arguments[0] : chosen.name;
	struct pci_address ignored;

	if (context->n_arguments > 1 || !name || !conf_name_ok(name) ||
	    setup_choose_is_address(name, &ignored) || chosen.named || chosen.only ||
	    chosen.options.no_display_ok)
		return NULL;
	return chosen.name && !str_equal(chosen.name, name) ? NULL : name;
}

static int choose(struct context *context, const struct cards *cards,
		  struct setup_choice *ret, struct str *why)
{
	const char *name = names_claim(context);
	int r;

	if (name) {
		r = setup_choose_claim(&context->root, cards, name, ret, why);
		if (r != -ENOENT || why->len)
			return r;
	}
	if (chosen.options.no_entry && !context->n_arguments) {
		str_join(why, _("there is no claim "), chosen.name, _(" in /" CONF_PATH),
			 NULL);
		return -ENOENT;
	}
	if (context->n_arguments)
		r = setup_choose_words(&context->root, cards, context->arguments,
				       context->n_arguments, chosen.only, ret, why);
	else if (prompt_possible() && !context->json)
		r = setup_choose_asking(cards, ret, why);
	else {
		str_add(why, _("there is no terminal to ask: name the card, as "
			       "\"vfio-claim list\" shows it"));
		return -EINVAL;
	}
	if (r == 0)
		str_copy(ret->name, sizeof(ret->name), chosen.name ? chosen.name : "gpu");
	else if (r < 0 && !why->len)
		str_add(why, str_errno(r));
	return r;
}

static int setup(struct context *context, struct journal *journal)
{
	struct setup_choice choice;
	struct cards cards;
	char why[1024];
	struct str s = STR_ON(why);
	int r;

	r = cards_scan(&context->root, &cards);
	if (r < 0) {
		str_join(&s, _("the PCI functions cannot be listed: "), str_errno(r),
			 NULL);
		return finish(context, "failed", why, NULL, NULL, EXIT_REFUSED);
	}
	r = choose(context, &cards, &choice, &s);
	if (r < 0) {
		r = finish(context, "refused", why, NULL, NULL,
			   r == -EINVAL && context->n_arguments ? EXIT_USAGE
								: EXIT_REFUSED);
	} else {
		r = carry_out(context, journal, &choice);
		setup_choice_finish(&choice);
	}
	cards_finish(&cards);
	return r;
}

static int run(struct context *context)
{
	struct journal *journal;
	char why[512];
	struct str s = STR_ON(why);
	int r;

	if (chosen.again || (chosen.options.entry && chosen.options.no_entry))
		return finish(context, "refused",
			      _("--name, --entry and --no-entry name one claim, and only "
				"one of the last two"),
			      NULL, NULL, EXIT_USAGE);
	if (chosen.name && !conf_name_ok(chosen.name))
		return finish(
			context, "refused",
			_("a claim's name is 1 to 32 letters, digits, '.', '_', '-', "
			  "and no word of vfio_claim="),
			NULL, NULL, EXIT_USAGE);
	if (!context->root.captured && !context->dry_run && geteuid() != 0)
		return finish(context, "refused",
			      _("only root can set this machine up; --dry-run shows what "
				"would be done"),
			      NULL, NULL, EXIT_REFUSED);
	if (journal_open(&context->root, !context->dry_run, &journal, &s) < 0)
		return finish(context, "refused", why, NULL, NULL, EXIT_REFUSED);
	r = setup(context, journal);
	journal_close(journal);
	return r;
}

static const struct option options[] = {
	{ "name", required_argument, NULL, 'n' },
	{ "entry", required_argument, NULL, 'e' },
	{ "no-entry", required_argument, NULL, 'E' },
	{ "only", no_argument, NULL, 'o' },
	{ "no-display-ok", no_argument, NULL, 'd' },
	{ "iommu-pt", no_argument, NULL, 'p' },
	{ "ignore-msrs", no_argument, NULL, 'm' },
	{ "yes", no_argument, NULL, 'y' },
	{ "dry-run", no_argument, NULL, 'N' },
	COMMON_OPTIONS,
};

const struct command cmd_setup = {
	.name = "setup",
	.summary = N_("Sets this machine up to claim a card at every boot"),
	.arguments = "[FUNCTION]... | CLAIM",
	.help = N_(
		"FUNCTION is an address as \"vfio-claim list\" shows it. That of a graphics\n"
		"card takes the whole card; without one, a terminal is asked. CLAIM is the\n"
		"name of one that /etc/vfio-claim.conf has already: the machine is set up for\n"
		"it, and of the configuration only its entry can change. What will be done is\n"
		"shown first.\n\n"
		"  --name NAME     of the claim (default gpu)\n"
		"  --entry NAME    this claim is made by an entry of its own in the boot\n"
		"                  menu; every other boot leaves the card to the host\n"
		"  --no-entry NAME this claim is made at every boot again\n"
		"  --only          just the functions named, not their cards\n"
		"  --no-display-ok the host may be left without a display\n"
		"  --iommu-pt      also iommu=pt\n"
		"  --ignore-msrs   also kvm.ignore_msrs=1, for Windows guests\n"
		"  --yes           do not ask\n"
		"  --dry-run       only show it\n"),
	.options = options,
	.option = option,
	.run = run,
};
