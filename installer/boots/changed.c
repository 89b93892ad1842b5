/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "changed.h"

#include "conf.h"

#define FOLDER "run/vfio-claim/"

/* False: it is no name, but something that a report says. */
static bool note_path(char ret[static FS_PATH_MAX], enum changed how, const char *name)
{
	struct str s;

	str_init(&s, ret, FS_PATH_MAX);
	str_join(&s, FOLDER, how == CHANGED_CLAIMED ? "claimed." : "released.", name,
		 NULL);
	return conf_name_ok(name);
}

void changed_note(struct fs *root, const char *name, enum changed how)
{
	const enum changed other =
		how == CHANGED_CLAIMED ? CHANGED_RELEASED : CHANGED_CLAIMED;
	char path[FS_PATH_MAX];

	if (note_path(path, other, name))
		(void)!root->ops->remove(root, path);
	if (note_path(path, how, name))
		(void)!root->ops->replace(root, path, "", 0, FS_QUICK);
}

static bool was(struct fs *root, enum changed how, const char *name)
{
	char path[FS_PATH_MAX];

	return note_path(path, how, name) && root->ops->exists(root, path) == 0;
}

static bool is_on_vfio(const struct machine_function *f)
{
	return machine_function_found(f) &&
	       str_equal(f->found.function.driver, "vfio-pci");
}

bool changed_is_taken(const struct machine_function *functions, unsigned n)
{
	unsigned taken = 0;

	for (unsigned i = 0; i < n; i++) {
		if (conf_awaits(functions[i].conf, &functions[i].found))
			continue;
		if (!is_on_vfio(&functions[i]))
			return false;
		taken++;
	}
	return taken;
}

static bool is_claimed(const struct report *report, const char *name)
{
	for (unsigned i = 0; i < report->n_claims; i++)
		if (str_equal(report->claims[i].name, name) &&
		    report->claims[i].outcome == OUTCOME_CLAIMED)
			return true;
	return false;
}

/* What is not found by its identity has to be where it is configured, and what it was. */
static struct report_function expected(const struct machine_function *f)
{
	const struct identity *id = &f->conf->identity;
	struct report_function ret = {
		.configured = f->conf->address,
		.optional = f->conf->optional,
		.found = true,
		.address = f->conf->address,
		.vendor = id->ids.vendor,
		.device = id->ids.device,
		.group = -1,
	};

	if (machine_function_found(f))
		ret.address = f->found.function.address;
	if (is_on_vfio(f))
		str_copy(ret.driver, sizeof(ret.driver), "vfio-pci");
	return ret;
}

static void add(const struct conf_claim *claim, const struct machine_function *functions,
		struct report *ret)
{
	struct report_claim *c = &ret->claims[ret->n_claims];

	if (ret->n_claims == CONF_MAX_CLAIMS ||
	    ret->n_functions + claim->n > CONF_MAX_FUNCTIONS)
		return;
	ret->n_claims++;
	*c = (struct report_claim){
		.outcome = OUTCOME_CLAIMED,
		.first = ret->n_functions,
		.n = claim->n,
	};
	str_copy(c->name, sizeof(c->name), claim->name);
	for (unsigned i = 0; i < claim->n; i++)
		ret->functions[ret->n_functions++] = expected(&functions[i]);
}

void changed_apply(struct fs *root, struct report *report)
{
	static struct conf conf;
	static struct machine machine;
	char release[MACHINE_RELEASE_LEN];
	struct conf_error error;

	for (unsigned i = 0; i < report->n_claims; i++)
		if (was(root, CHANGED_RELEASED, report->claims[i].name))
			report->claims[i].outcome = OUTCOME_KEPT;
	machine_release(root, release);
	if (conf_load(root, CONF_PATH, &conf, &error) < 0 ||
	    machine_inspect(root, &conf, release, &machine) < 0)
		return;
	for (unsigned i = 0; i < conf.n_claims; i++) {
		const struct conf_claim *c = &conf.claims[i];
		const struct machine_function *f = &machine.functions[c->first];

		if (!is_claimed(report, c->name) &&
		    (was(root, CHANGED_CLAIMED, c->name) || changed_is_taken(f, c->n)))
			add(c, f, report);
	}
	machine_finish(&machine);
}
