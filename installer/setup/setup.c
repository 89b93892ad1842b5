/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "claims.h"
#include "entries.h"
#include "setup_args.h"
#include "setup_conf.h"
#include "setup_judge.h"
#include "text.h"

void setup_plan_finish(struct setup_plan *plan)
{
	args_finish(&plan->args);
	changes_finish(&plan->changes);
	setup_proposals_finish(&plan->graphics);
	free(plan->notes);
	*plan = (struct setup_plan){ .notes = NULL };
}

/* ---- the parts of the plan */

static int conf_error(struct str *why, int r)
{
	str_join(why, "/" CONF_PATH ": ",
		 r == -ELOOP ? _("a symbolic link stands in its place; put a plain file "
				 "there first")
			     : str_errno(r),
		 NULL);
	return r;
}

/* What `text`, which is freed, becomes. */
static char *replace(char *text, char *with)
{
	free(text);
	return with;
}

/* The configuration with the choice in it; NULL for lack of memory. */
static char *conf_text(const char *before, const struct conf *parsed,
		       const struct setup_choice *choice,
		       const struct setup_options *options, bool named)
{
	const struct card_function *functions[CONF_MAX_FUNCTIONS];
	char *text;

	for (size_t i = 0; i < choice->n; i++)
		functions[i] = &choice->functions[i];
	text = setup_conf_with(before, before ? parsed : NULL, choice->name, functions,
			       choice->n);
	if (text && named)
		text = replace(text, claims_set_named(text, choice->name, true));
	if (text && options->no_display_ok)
		text = replace(text, setup_conf_without_display(text));
	return text;
}

static int put_conf(struct fs *root, const struct setup_choice *choice, const char *text,
		    struct setup_plan *plan, struct str *why)
{
	struct change *change;
	int r;

	change = changes_put(&plan->changes, root, CONF_PATH, text, 0644, &r);
	if (change) {
		change->kind = CHANGE_CONF;
		/* one that was there is not ours to take out */
		r = choice->existing ? 0 : args_add(&change->ours, choice->name);
	} else if (r < 0) {
		r = conf_error(why, r);
	}
	return r;
}

static int plan_conf(struct fs *root, const struct setup_choice *choice,
		     const struct setup_options *options, struct setup_plan *plan,
		     FILE *notes, struct str *why)
{
	static struct conf now;
	const struct conf_claim *claim;
	char *before, *text;
	bool was_named;
	int r;

	if (choice->n > CONF_MAX_FUNCTIONS)
		return -E2BIG;
	r = setup_conf_load(root, &now, why);
	if (r < 0 && r != -ENOENT)
		return r;
	claim = r == 0 ? conf_claim_find(&now, choice->name) : NULL;
	was_named = claim && claim->named;
	plan->named = options->entry || (was_named && !options->no_entry);
	if (choice->existing && plan->named == was_named)
		return setup_judge(root, choice, now.text, notes, why);
	before = changes_content(&plan->changes, root, CONF_PATH, &r);
	if (r < 0)
		return conf_error(why, r);
	text = choice->existing ? claims_set_named(now.text, choice->name, plan->named)
				: conf_text(before, &now, choice, options, plan->named);
	free(before);
	if (!text)
		return -ENOMEM;
	r = setup_judge(root, choice, text, notes, why);
	if (r == 0)
		r = put_conf(root, choice, text, plan, why);
	free(text);
	return r;
}

static int plan_args(struct fs *root, const struct setup_choice *choice,
		     const struct setup_options *options, struct setup_plan *plan,
		     struct str *why)
{
	static const struct args none = { .n = 0 };
	struct args configured = { .n = 0 };
	const char *off;
	int r;

	r = setup_args_needed(root, choice, &plan->args, why);
	if (r == 0 && options->iommu_pt)
		r = args_add(&plan->args, "iommu=pt");
	if (r == 0 && options->ignore_msrs)
		r = args_add(&plan->args, "kvm.ignore_msrs=1");
	if (r < 0)
		return r;
	r = plan->bootloader->show(root, &configured);
	if (r == 0) {
		off = setup_args_switch_off(root, &configured);
		if (off) {
			str_join(
				why, _("the kernel arguments say "), off,
				_("; if that is no longer wanted, \"vfio-claim args remove "),
				off, _("\" and try again"), NULL);
			r = -EPERM;
		}
	}
	args_finish(&configured);
	if (r == 0)
		r = plan->bootloader->plan(root, &plan->args, &none, &plan->changes, why);
	return r;
}

/*
 * What the choice costs, and what another program makes of it: its command is proposed,
 * never run.
 */
static int plan_graphics(struct fs *root, const struct setup_choice *choice,
			 struct setup_plan *plan, FILE *notes)
{
	const int r = setup_graphics(root, choice, &plan->graphics);

	for (size_t i = 0; r == 0 && i < plan->graphics.n; i++)
		fprintf(notes, _("%s: %s. Before the reboot: %s\n"),
			_(plan->graphics.all[i].title), plan->graphics.all[i].evidence,
			plan->graphics.all[i].mend);
	return r;
}

static int plan_entry(struct fs *root, const struct setup_options *options,
		      struct setup_plan *plan, struct str *why)
{
	int r = -EOPNOTSUPP;

	if (!plan->named)
		return 0;
	if (plan->bootloader->entries)
		r = plan->bootloader->entries(root, &plan->changes, why);
	/* its owner may have one that was made by hand */
	if (r < 0 && !options->entry) {
		str_init(why, why->buf, why->size);
		return 0;
	}
	if (r == 0)
		return 0;
	str_join(
		why, why->len ? "; " : "", _(plan->bootloader->title),
		_(": no entry can be made for a claim; nothing was changed. By hand: write "
		  "\"boot = named\" below [claim "),
		plan->claim, _("] in /" CONF_PATH ", run \"vfio-claim setup "),
		plan->claim,
		_("\", and add an entry with the kernel argument vfio_claim="),
		plan->claim, NULL);
	return r;
}

static int plan_all(struct fs *root, const struct setup_choice *choice,
		    const struct setup_options *options, struct setup_plan *plan,
		    FILE *notes, struct str *why)
{
	char evidence[512];
	struct str s = STR_ON(evidence);
	int r;

	plan->initramfs = initramfs_find(root, &s, why);
	if (!plan->initramfs)
		return -EOPNOTSUPP;
	plan->bootloader = bootloader_find(root, &s, why);
	if (!plan->bootloader)
		return -EOPNOTSUPP;
	str_copy(plan->claim, sizeof(plan->claim), choice->name);
	r = setup_judge_needed(root, choice, why);
	if (r == 0)
		r = plan_conf(root, choice, options, plan, notes, why);
	if (r == 0)
		r = plan_graphics(root, choice, plan, notes);
	/* the images first: whatever boots next has the configuration it was made for */
	if (r == 0)
		r = plan->initramfs->plan(root, &plan->changes, why);
	if (r == 0)
		r = plan_args(root, choice, options, plan, why);
	if (r == 0)
		r = plan_entry(root, options, plan, why);
	/* the entries that leave the GPU to the host or to a guest come with the menu */
	if (r == 0 && plan->bootloader->menu)
		r = plan->bootloader->menu(root, &plan->changes);
	return r;
}

int setup_make_plan(struct fs *root, const struct setup_choice *choice,
		    const struct setup_options *options, struct setup_plan *ret,
		    struct str *why)
{
	struct setup_plan plan = { .notes = NULL };
	size_t size;
	FILE *notes;
	int r;

	notes = open_memstream(&plan.notes, &size);
	if (!notes)
		return -ENOMEM;
	r = plan_all(root, choice, options, &plan, notes, why);
	if (fclose(notes) != 0 && r == 0)
		r = -ENOMEM;
	if (r < 0) {
		if (!why->len)
			str_add(why, str_errno(r));
		setup_plan_finish(&plan);
		return r;
	}
	*ret = plan;
	return 0;
}

/* The entry of the claim is there if it is to be, and only then. */
static int verify_entry(struct fs *root, const struct setup_plan *plan, struct str *why)
{
	const struct bootloader *loader = plan->bootloader;

	if (!loader->has_entry || loader->has_entry(root, plan->claim) == plan->named)
		return 0;
	str_join(why, why->len ? "; " : "",
		 plan->named ? _("the boot menu lacks the entry of ")
			     : _("the boot menu still has the entry of "),
		 plan->claim, NULL);
	return -ESTALE;
}

int setup_verify(struct fs *root, const struct setup_plan *plan, struct str *why)
{
	static struct initramfs_kernels kernels;
	static const struct args none = { .n = 0 };
	int r, worst = 0;

	r = initramfs_kernels(root, &kernels);
	if (r < 0) {
		str_join(why, "/lib/modules: ", str_errno(r), NULL);
		return -ESTALE;
	}
	for (size_t i = 0; i < kernels.n; i++) {
		if (why->len)
			str_add(why, "; ");
		if (initramfs_check(root, plan->initramfs, kernels.release[i], true,
				    why) < 0)
			worst = -ESTALE;
	}
	if (why->len && worst)
		str_add(why, "; ");
	r = plan->bootloader->verify(root, &plan->args, &none, why);
	if (r < 0)
		worst = -ESTALE;
	else if (worst == 0)
		worst = r;
	if (verify_entry(root, plan, why) < 0)
		worst = -ESTALE;
	return worst;
}
