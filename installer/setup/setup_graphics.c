/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup_graphics.h"

#include <errno.h>
#include <stdlib.h>

#include "doctor.h"

void setup_proposals_finish(struct setup_proposals *proposals)
{
	for (size_t i = 0; i < proposals->n; i++) {
		free(proposals->all[i].evidence);
		free(proposals->all[i].mend);
	}
	free(proposals->all);
	*proposals = (struct setup_proposals){ .n = 0 };
}

/* Of a card it is a warning that a claim makes the panel dark. */
static const struct doctor_check checks[] = {
	{ "cards", N_("Graphics cards"), doctor_cards },
	{ "switchers", N_("Graphics switching"), doctor_switchers },
};

static bool stands_against(const struct doctor_finding *f)
{
	return f->mend && (f->state == DOCTOR_PROBLEM ||
			   (f->check == &checks[0] && f->state == DOCTOR_WARNING));
}

/* Takes the texts. */
static int take(struct doctor *d, struct setup_proposals *ret)
{
	ret->all = calloc(d->n + 1, sizeof(*ret->all));
	if (!ret->all)
		return -ENOMEM;
	for (size_t i = 0; i < d->n; i++) {
		struct doctor_finding *f = &d->findings[i];

		if (!stands_against(f))
			continue;
		ret->all[ret->n++] =
			(struct setup_proposal){ f->check->title, f->evidence, f->mend };
		f->evidence = f->mend = NULL;
	}
	return 0;
}

int setup_graphics(struct fs *root, const struct setup_choice *choice,
		   struct setup_proposals *ret)
{
	static struct doctor d;
	struct pci_address *chosen;
	int r;

	*ret = (struct setup_proposals){ .n = 0 };
	chosen = calloc(choice->n + 1, sizeof(*chosen));
	if (!chosen)
		return -ENOMEM;
	for (size_t i = 0; i < choice->n; i++)
		chosen[i] = choice->functions[i].function.address;
	d.chosen = chosen;
	d.n_chosen = choice->n;
	r = doctor_begin(&d, root);
	if (r == 0) {
		doctor_run(&d, checks, ARRAY_SIZE(checks));
		r = d.error ? d.error : take(&d, ret);
	}
	doctor_finish(&d);
	free(chosen);
	return r;
}
