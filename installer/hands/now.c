/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "now.h"

#include "setup_conf.h"
#include "text.h"

bool now_load(struct fs *root, struct conf *conf, struct machine *machine,
	      struct str *why)
{
	char release[MACHINE_RELEASE_LEN];
	struct conf_error error = { .line = 0 };
	int r;

	if (conf_load(root, CONF_PATH, conf, &error) < 0) {
		setup_conf_explain(&error, why);
		return false;
	}
	machine_release(root, release);
	r = machine_inspect(root, conf, release, machine);
	if (r < 0)
		str_join(why, _("the PCI functions cannot be listed: "), str_errno(r),
			 NULL);
	return r == 0;
}

const struct conf_claim *now_claim(const struct conf *conf, const char *name,
				   struct str *why)
{
	const struct conf_claim *claim = conf_claim_find(conf, name);
	char clean[64];

	if (claim)
		return claim;
	text_clean(clean, sizeof(clean), name);
	str_join(why, _("there is no claim "), clean, _(" in /" CONF_PATH), NULL);
	return NULL;
}

/* What the boot knows comes first: it has seen what drove it before. */
static void add(struct report *report, const struct report_function *f)
{
	struct report_claim *claim = &report->claims[0];

	for (unsigned i = 0; i < claim->n; i++)
		if (!pci_address_compare(report->functions[i].address, f->address))
			return;
	if (claim->n < CONF_MAX_FUNCTIONS)
		report->functions[claim->n++] = *f;
	report->n_functions = claim->n;
}

static bool add_from_boot(const struct report *boot, const char *name, struct report *ret)
{
	for (unsigned i = 0; i < boot->n_claims; i++) {
		const struct report_claim *c = &boot->claims[i];

		if (!str_equal(c->name, name) || c->outcome != OUTCOME_CLAIMED)
			continue;
		for (unsigned k = c->first; k < c->first + c->n; k++)
			if (boot->functions[k].found)
				add(ret, &boot->functions[k]);
		return true;
	}
	return false;
}

static bool add_from_conf(struct fs *root, const char *name, struct report *ret,
			  struct str *why)
{
	static struct conf conf;
	static struct machine machine;
	const struct conf_claim *claim;

	if (!now_load(root, &conf, &machine, why))
		return false;
	claim = now_claim(&conf, name, why);
	for (unsigned i = 0; claim && i < claim->n; i++) {
		const struct machine_function *f = &machine.functions[claim->first + i];
		const struct report_function now = {
			.configured = f->conf->address,
			.address = f->found.function.address,
			.found = true,
			.group = -1,
		};

		if (machine_function_found(f) &&
		    str_equal(f->found.function.driver, "vfio-pci"))
			add(ret, &now);
	}
	machine_finish(&machine);
	return claim;
}

bool now_claimed(struct fs *root, const struct report *boot, const char *name,
		 struct report *ret, struct str *why)
{
	char text[512];
	struct str unsaid = STR_ON(text);
	bool known;

	*ret = (struct report){ .stage = "start", .n_claims = 1 };
	ret->claims[0].outcome = OUTCOME_CLAIMED;
	str_copy(ret->claims[0].name, sizeof(ret->claims[0].name), name);
	known = add_from_boot(boot, name, ret);
	/* its name may be gone from the configuration since */
	return add_from_conf(root, name, ret, known ? &unsaid : why) || known;
}
