/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claimed.h"

#include <errno.h>

#include "driver.h"
#include "names.h"
#include "setup_conf.h"
#include "text.h"

#define FUNCTIONS 8 /* of a device: PCI has no more */

const struct conf *claimed_conf(struct fs *root, struct str *why)
{
	static struct conf conf;
	static bool read;
	struct conf_error error = { .line = 0 };
	int r;

	if (read)
		return &conf;
	r = conf_load(root, CONF_PATH, &conf, &error);
	if (r == 0) {
		read = true;
		return &conf;
	}
	if (r == -ENOENT) {
		str_add(why, _("there is no /etc/vfio-claim.conf; vfio-claim setup "
			       "makes one"));
	} else {
		setup_conf_explain(&error, why);
	}
	return NULL;
}

void claimed_names(const struct conf *conf, struct str *s)
{
	for (unsigned i = 0; i < conf->n_claims; i++)
		str_join(s, i ? ", " : "", conf->claims[i].name, NULL);
}

bool claimed_found(const struct claimed_function *f)
{
	return f->match == MATCH_EXACT || f->match == MATCH_MOVED;
}

static bool same_slot(const struct claimed_function *a, const struct claimed_function *b)
{
	return pci_same_slot(a->conf->address, b->conf->address);
}

static bool is_taken(const struct claimed *claimed, unsigned device, unsigned number)
{
	for (size_t i = 0; i < claimed->n; i++)
		if (claimed->functions[i].device == device &&
		    claimed->functions[i].number == number)
			return true;
	return false;
}

static void append(struct claimed *claimed, const struct claimed_function *f,
		   unsigned device)
{
	struct claimed_function *g = &claimed->functions[claimed->n];
	const unsigned own = f->conf->address.devfn & 7;
	unsigned number = 0;

	/* functions of the card's own slot keep their numbers, which drivers may know */
	if (claimed->n && own && same_slot(f, &claimed->functions[0]) &&
	    !is_taken(claimed, device, own))
		number = own;
	while (number < FUNCTIONS && is_taken(claimed, device, number))
		number++;
	*g = *f;
	g->device = device;
	g->number = number;
	if (number == FUNCTIONS) {
		g->device = ++claimed->n_devices - 1;
		g->number = 0;
	}
	claimed->n++;
}

/* The device of the display that shares the slot, or the first one. */
static unsigned device_for(const struct claimed *claimed,
			   const struct claimed_function *f)
{
	for (size_t i = 0; i < claimed->n; i++)
		if (same_slot(&claimed->functions[i], f))
			return claimed->functions[i].device;
	return 0;
}

/* Displays first: a device without its function 0 is not seen. */
static void arrange(const struct claimed_function *found, size_t n, struct claimed *ret)
{
	for (size_t i = 0; i < n; i++)
		if (pci_is_display(&found[i].conf->identity.ids))
			append(ret, &found[i], ret->n_devices++);
	if (!ret->n_devices)
		ret->n_devices = 1;
	for (size_t i = 0; i < n; i++)
		if (!pci_is_display(&found[i].conf->identity.ids))
			append(ret, &found[i], device_for(ret, &found[i]));
}

/* False where the claim goes without it. */
static bool look_at(struct fs *root, const struct pci_list *all, struct names *names,
		    const struct conf_function *conf, struct claimed_function *ret)
{
	struct identity_result result;

	identity_find(root, all, &conf->identity, conf->address, &result);
	*ret = (struct claimed_function){ .conf = conf,
					  .function = result.function,
					  .path = conf->identity.path,
					  .match = result.match };
	str_copy(ret->detail, sizeof(ret->detail), result.detail);
	names_function(names, &conf->identity.ids, ret->name, sizeof(ret->name));
	if (claimed_found(ret))
		(void)!pci_path_of(root, result.function.address, &ret->path);
	return !conf_awaits(conf, &result);
}

static int find_all(struct fs *root, const struct conf *conf,
		    const struct conf_claim *claim, struct claimed *ret)
{
	static struct claimed_function found[CLAIMED_MAX];
	struct names *names;
	struct pci_list all;
	size_t n = 0;
	int r;

	r = pci_scan(root, &all);
	if (r < 0)
		return r;
	r = names_open(root, &names);
	if (r == 0) {
		for (unsigned i = 0; i < claim->n; i++) {
			const struct conf_function *f =
				&conf->functions[claim->first + i];

			if (look_at(root, &all, names, f, &found[n]))
				n++;
			else
				ret->awaited[ret->n_awaited++] = f;
		}
		/* nothing of it is there: it is what is missing then */
		if (n == 0)
			ret->n_awaited = 0;
		for (unsigned i = 0; n == 0 && i < claim->n; i++)
			(void)look_at(root, &all, names,
				      &conf->functions[claim->first + i], &found[i]);
		names_close(names);
		arrange(found, n ? n : claim->n, ret);
	}
	pci_list_finish(&all);
	return r;
}

int claimed_find(struct fs *root, const char *name, struct claimed *ret, struct str *why)
{
	const struct conf *conf = claimed_conf(root, why);
	int r;

	*ret = (struct claimed){ 0 };
	if (!conf)
		return -EINVAL;
	ret->conf = conf_claim_find(conf, name);
	if (!ret->conf) {
		str_add(why, _("there is no such claim in /etc/vfio-claim.conf"));
		if (conf->n_claims)
			str_add(why, _("; there is: "));
		claimed_names(conf, why);
		return -ENOENT;
	}
	if (ret->conf->n > CLAIMED_MAX) {
		str_add(why, _("it has more functions than a guest can get"));
		return -E2BIG;
	}
	r = find_all(root, conf, ret->conf, ret);
	if (r < 0)
		str_add(why, str_errno(r));
	return r;
}

bool claimed_driver(const char *driver)
{
	return driver_vfio_accepts(driver) && !str_equal(driver, "pci-stub") &&
	       !str_equal(driver, "pcieport");
}

bool claimed_ready(const struct claimed *claimed, struct str *why)
{
	for (size_t i = 0; i < claimed->n; i++) {
		const struct claimed_function *f = &claimed->functions[i];

		if (!claimed_found(f)) {
			pci_address_add(why, f->conf->address);
			str_join(why, _(" is not as the configuration knows it: "),
				 match_name(f->match), ", ", f->detail,
				 _("; vfio-claim status says more"), NULL);
			return false;
		}
		if (claimed_driver(f->function.driver))
			continue;
		pci_address_add(why, f->function.address);
		if (*f->function.driver)
			str_join(why, _(" is held by "), f->function.driver,
				 _(", the host's driver"), NULL);
		else
			str_add(why, _(" has no driver"));
		str_join(why, _(": \"vfio-claim claim "), claimed->conf->name,
			 _("\" takes it now, a reboot does as well; vfio-claim status "
			   "says why it is not claimed"),
			 NULL);
		return false;
	}
	return true;
}
