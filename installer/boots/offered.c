/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "offered.h"

static unsigned check_function(struct fs *root, struct pci_address address,
			       const struct setting *want, offered_fn *fn, void *arg)
{
	unsigned said = 0;
	char text[512];

	for (unsigned key = 0; key < SETTING_KEYS; key++) {
		struct str s = STR_ON(text);
		enum tune result;

		if (!setting_says(want, key))
			continue;
		said++;
		tune_add_name(&s, address, want, key);
		result = tune_check(root, address, want, key, &s);
		if (result != TUNE_OFFERED)
			fn(arg, result, text);
	}
	return said;
}

unsigned offered_check(struct fs *root, const struct conf *conf,
		       const struct machine *machine, offered_fn *fn, void *arg)
{
	struct tune_votes votes = { .on = false };
	const struct conf_claim *c = conf->claims;
	unsigned said = 0;

	for (unsigned i = 0; i < machine->n_functions; i++) {
		const struct machine_function *f = &machine->functions[i];
		const struct pci_function *found = &f->found.function;
		struct setting want;

		while (i >= c->first + c->n)
			c++;
		if (!machine_function_found(f))
			continue;
		want = setting_merge(&c->setting, &f->conf->setting,
				     pci_is_display(&found->ids));
		tune_vote(&votes, &want);
		said += check_function(root, found->address, &want, fn, arg);
	}
	if (votes.vga && votes.no_vga)
		fn(arg, TUNE_E_REFUSED, TUNE_DISAGREE);
	return said;
}
