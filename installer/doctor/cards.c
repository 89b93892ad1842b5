/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What each graphics card is in its machine, and what a claim of it costs.
 */
#include <errno.h>

#include "displays.h"
#include "doctor.h"
#include "shape.h"

static bool is_card(const struct pci_function *f)
{
	return f->known && pci_is_display(&f->ids);
}

static void count_panels(struct doctor *d, const struct displays *displays,
			 struct shape_panels *ret)
{
	struct shape shape;

	for (size_t i = 0; i < d->machine.list.n; i++) {
		if (!is_card(&d->machine.list.functions[i]))
			continue;
		shape_read(d->root, displays, &d->machine.list.functions[i], &shape);
		shape_count_panel(&shape, ret);
	}
}

static void judge_card(struct doctor *d, const struct displays *displays,
		       const struct pci_function *f, const struct shape_panels *panels)
{
	char text[1024], address[PCI_ADDRESS_LEN];
	struct str s = STR_ON(text), a = STR_ON(address);
	const bool claimed = doctor_claimed(d, f->address);
	struct shape shape;

	pci_address_add(&a, f->address);
	shape_read(d->root, displays, f, &shape);
	shape_describe(&shape, panels, &s);
	if (!*text)
		str_add(&s, _("no driver that knows its connectors has it"));
	if (claimed && shape_drives_panel(&shape, panels)) {
		doctor_say(d, DOCTOR_WARNING, "%s: %s", address, text);
		doctor_mend(d, _("claim the other card, or give the host another "
				 "screen"));
		return;
	}
	doctor_say(d, DOCTOR_OK, "%s: %s", address, text);
}

void doctor_cards(struct doctor *d)
{
	const struct pci_list *all = &d->machine.list;
	struct shape_panels panels = { .n = 0 };
	const size_t before = d->n;
	struct displays displays;

	if (displays_scan(d->root, &displays) < 0) {
		d->error = -ENOMEM;
		return;
	}
	count_panels(d, &displays, &panels);
	for (size_t i = 0; i < all->n; i++)
		if (is_card(&all->functions[i]))
			judge_card(d, &displays, &all->functions[i], &panels);
	displays_finish(&displays);
	if (d->n == before)
		doctor_say(d, DOCTOR_OK, _("none is in this machine"));
}
