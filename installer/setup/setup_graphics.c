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

/* Takes the texts of the problems. */
static int take(struct doctor *d, struct setup_proposals *ret)
{
	ret->all = calloc(d->n + 1, sizeof(*ret->all));
	if (!ret->all)
		return -ENOMEM;
	for (size_t i = 0; i < d->n; i++) {
		struct doctor_finding *f = &d->findings[i];

		if (f->state != DOCTOR_PROBLEM || !f->mend)
			continue;
		ret->all[ret->n++] = (struct setup_proposal){ f->evidence, f->mend };
		f->evidence = f->mend = NULL;
	}
	return 0;
}

int setup_graphics(struct fs *root, const struct setup_choice *choice,
		    struct setup_proposals *ret)
{
	static const struct doctor_check check = { "switchers", "", doctor_switchers };
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
		doctor_run(&d, &check, 1);
		r = d.error ? d.error : take(&d, ret);
	}
	doctor_finish(&d);
	free(chosen);
	return r;
}
