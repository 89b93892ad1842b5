/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "configured.h"

#include <errno.h>

#include "setup_conf.h"

static void add_claim(struct fs *root, const struct pci_list *all,
		      const struct conf *conf, const struct conf_claim *claim,
		      struct configured *ret)
{
	struct identity_result found;

	for (unsigned i = claim->first; i < claim->first + claim->n; i++) {
		const struct conf_function *f = &conf->functions[i];

		identity_find(root, all, &f->identity, f->address, &found);
		if (found.match == MATCH_EXACT || found.match == MATCH_MOVED)
			ret->functions[ret->n++] = (struct configured_function){
				.address = found.function.address,
				.match = found.match,
				.claim = claim,
			};
	}
}

void configured_read(struct fs *root, const struct pci_list *all, struct configured *ret,
		     struct str *why)
{
	static struct conf conf;
	struct conf_error error = { .line = 0 };
	const int r = conf_load(root, CONF_PATH, &conf, &error);

	ret->n = 0;
	if (r < 0 && r != -ENOENT)
		setup_conf_explain(&error, why);
	for (unsigned i = 0; r == 0 && i < conf.n_claims; i++)
		add_claim(root, all, &conf, &conf.claims[i], ret);
}

const struct conf_claim *configured_claim(const struct configured *configured,
					  struct pci_address address)
{
	const struct conf_claim *claim = NULL;

	for (size_t i = 0; i < configured->n; i++) {
		const struct configured_function *f = &configured->functions[i];

		/* as plan_make() judges: who had to search for it does not get it */
		if (pci_address_compare(f->address, address) == 0 &&
		    (!claim || f->match == MATCH_EXACT))
			claim = f->claim;
	}
	return claim;
}
