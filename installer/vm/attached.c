/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "attached.h"

#include <stdlib.h>

const struct attached_claim *attached_find(const struct attached *a, const char *name)
{
	for (size_t i = 0; i < a->n_claims; i++)
		if (str_equal(a->claims[i].name, name))
			return &a->claims[i];
	return NULL;
}

const struct claimed_function *attached_function(const struct attached *a, size_t hostdev)
{
	const struct attached_hostdev *of = &a->of[hostdev];

	if (of->claim == ATTACHED_NONE || of->function == ATTACHED_NONE)
		return NULL;
	return &a->claims[of->claim].claimed.functions[of->function];
}

bool attached_moved(const struct attached *a, size_t hostdev)
{
	const struct claimed_function *f = attached_function(a, hostdev);

	return f && claimed_found(f) &&
	       pci_address_compare(f->function.address, a->hostdevs[hostdev].source) != 0;
}

/* Where it was when it was attached, or else when it was configured. */
static struct pci_address awaited_at(const struct attached_claim *c,
				     const struct conf_function *f)
{
	for (size_t i = 0; i < c->metadata.n; i++)
		if (pci_path_equal(&c->metadata.functions[i].path, &f->identity.path))
			return c->metadata.functions[i].address;
	return f->address;
}

int attached_awaited(const struct attached *a, size_t hostdev)
{
	const struct attached_hostdev *of = &a->of[hostdev];

	for (size_t i = 0; of->function == ATTACHED_NONE && i < a->n_claims; i++) {
		const struct attached_claim *c = &a->claims[i];

		if (of->claim != ATTACHED_NONE && of->claim != (int)i)
			continue;
		for (size_t k = 0; k < c->claimed.n_awaited; k++)
			if (!pci_address_compare(awaited_at(c, c->claimed.awaited[k]),
						 a->hostdevs[hostdev].source))
				return (int)i;
	}
	return ATTACHED_NONE;
}

/* ---- which claims */

static struct attached_claim *add_claim(struct fs *root, struct attached *a,
					const char *name)
{
	struct attached_claim *c = &a->claims[a->n_claims];
	char text[256];
	struct str why = STR_ON(text);

	if (a->n_claims == METADATA_MAX_CLAIMS)
		return NULL;
	*c = (struct attached_claim){ 0 };
	str_copy(c->name, sizeof(c->name), name);
	for (size_t i = 0; i < CLAIMED_MAX; i++)
		c->hostdevs[i] = ATTACHED_NONE;
	if (a->configured && claimed_find(root, name, &c->claimed, &why) < 0)
		c->claimed = (struct claimed){ 0 };
	a->n_claims++;
	return c;
}

static bool has_hostdev_at(const struct attached *a, struct pci_address address)
{
	return hostdev_find(a->hostdevs, a->n_hostdevs, address) != NULL;
}

static bool is_used(const struct attached *a, const struct claimed *claimed)
{
	for (size_t i = 0; i < claimed->n; i++) {
		const struct claimed_function *f = &claimed->functions[i];

		if (has_hostdev_at(a, f->conf->address) ||
		    (claimed_found(f) && has_hostdev_at(a, f->function.address)))
			return true;
	}
	return false;
}

static void find_claims(struct fs *root, xmlNode *domain, struct attached *a)
{
	struct metadata_claim recorded[METADATA_MAX_CLAIMS];
	const size_t n = metadata_read(domain, recorded);
	char text[256];
	struct str why = STR_ON(text);
	const struct conf *conf = claimed_conf(root, &why);

	a->configured = conf != NULL;
	for (size_t i = 0; i < n; i++) {
		struct attached_claim *c = add_claim(root, a, recorded[i].name);

		if (!c)
			break;
		c->recorded = true;
		c->metadata = recorded[i];
	}
	for (unsigned i = 0; conf && i < conf->n_claims; i++) {
		if (attached_find(a, conf->claims[i].name) ||
		    !add_claim(root, a, conf->claims[i].name))
			continue;
		if (!is_used(a, &a->claims[a->n_claims - 1].claimed))
			a->n_claims--;
	}
}

/* ---- which functions */

/* A hostdev of that source that is nobody's yet. */
static int free_at(const struct attached *a, struct pci_address source)
{
	for (size_t i = 0; i < a->n_hostdevs; i++)
		if (a->of[i].claim == ATTACHED_NONE &&
		    !pci_address_compare(a->hostdevs[i].source, source))
			return (int)i;
	return ATTACHED_NONE;
}

static void give(struct attached *a, size_t claim, int function, int hostdev)
{
	if (hostdev == ATTACHED_NONE)
		return;
	a->of[hostdev].claim = (int)claim;
	a->of[hostdev].function = function;
	if (function != ATTACHED_NONE)
		a->claims[claim].hostdevs[function] = hostdev;
}

static bool is_recorded(const struct attached *a, struct pci_address address)
{
	for (size_t i = 0; i < a->n_claims; i++)
		for (size_t k = 0; k < a->claims[i].metadata.n; k++)
			if (!pci_address_compare(
				    a->claims[i].metadata.functions[k].address, address))
				return true;
	return false;
}

static int function_at(const struct claimed *claimed, const struct pci_path *path)
{
	for (size_t i = 0; i < claimed->n; i++)
		if (pci_path_equal(&claimed->functions[i].conf->identity.path, path))
			return (int)i;
	return ATTACHED_NONE;
}

/* What the metadata says. Somebody may have written the new address by hand already. */
static void give_recorded(struct attached *a, size_t claim)
{
	const struct attached_claim *c = &a->claims[claim];

	for (size_t i = 0; i < c->metadata.n; i++) {
		const struct metadata_function *m = &c->metadata.functions[i];
		const int function = function_at(&c->claimed, &m->path);
		const struct claimed_function *f =
			function == ATTACHED_NONE ? NULL
						  : &c->claimed.functions[function];
		int hostdev = ATTACHED_NONE;

		if (f && claimed_found(f) && !is_recorded(a, f->function.address))
			hostdev = free_at(a, f->function.address);
		if (hostdev == ATTACHED_NONE)
			hostdev = free_at(a, m->address);
		give(a, claim, function, hostdev);
	}
}

static void give_current(struct attached *a, size_t claim)
{
	const struct attached_claim *c = &a->claims[claim];

	for (size_t i = 0; i < c->claimed.n; i++) {
		const struct claimed_function *f = &c->claimed.functions[i];

		if (c->hostdevs[i] == ATTACHED_NONE && claimed_found(f))
			give(a, claim, (int)i, free_at(a, f->function.address));
	}
}

static void give_configured(struct attached *a, size_t claim)
{
	const struct attached_claim *c = &a->claims[claim];

	for (size_t i = 0; i < c->claimed.n; i++)
		if (c->hostdevs[i] == ATTACHED_NONE)
			give(a, claim, (int)i,
			     free_at(a, c->claimed.functions[i].conf->address));
}

/* Was the domain made before this function came here, or after? */
static bool is_doubtful(const struct attached *a, size_t hostdev)
{
	const struct attached_hostdev *of = &a->of[hostdev];
	const struct pci_address source = a->hostdevs[hostdev].source;

	if (of->claim == ATTACHED_NONE || a->claims[of->claim].recorded)
		return false;
	for (size_t i = 0; i < a->n_claims; i++)
		for (size_t k = 0; k < a->claims[i].claimed.n; k++) {
			const struct claimed_function *f =
				&a->claims[i].claimed.functions[k];

			if (f != attached_function(a, hostdev) &&
			    a->claims[i].hostdevs[k] == ATTACHED_NONE &&
			    !pci_address_compare(f->conf->address, source))
				return true;
		}
	return false;
}

static bool has_any(const struct attached_claim *c)
{
	for (size_t i = 0; i < CLAIMED_MAX; i++)
		if (c->hostdevs[i] != ATTACHED_NONE)
			return true;
	return c->recorded;
}

/* What sits where another claim's function was is not in the domain for that. */
static void forget_unused(struct attached *a)
{
	size_t n = 0;

	for (size_t i = 0; i < a->n_claims; i++) {
		if (!has_any(&a->claims[i]))
			continue;
		if (n != i)
			a->claims[n] = a->claims[i];
		for (size_t k = 0; k < a->n_hostdevs; k++)
			if (a->of[k].claim == (int)i)
				a->of[k].claim = (int)n;
		n++;
	}
	a->n_claims = n;
}

struct attached *attached_read(struct fs *root, xmlNode *domain)
{
	struct attached *a = calloc(1, sizeof(*a));

	if (!a)
		return NULL;
	a->n_hostdevs = hostdev_list(domain, a->hostdevs);
	for (size_t i = 0; i < a->n_hostdevs; i++)
		a->of[i] = (struct attached_hostdev){ .claim = ATTACHED_NONE,
						      .function = ATTACHED_NONE };
	find_claims(root, domain, a);
	for (size_t i = 0; i < a->n_claims; i++)
		give_recorded(a, i);
	for (size_t i = 0; i < a->n_claims; i++)
		give_current(a, i);
	for (size_t i = 0; i < a->n_claims; i++)
		give_configured(a, i);
	for (size_t i = 0; i < a->n_hostdevs; i++)
		a->of[i].doubtful = is_doubtful(a, i);
	forget_unused(a);
	return a;
}
