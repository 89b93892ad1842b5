/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "identity.h"

#include <errno.h>

const char *match_name(enum match match)
{
	static const char *const names[] = {
		[MATCH_ABSENT] = "absent",	 [MATCH_EXACT] = "exact",
		[MATCH_MOVED] = "moved",	 [MATCH_CHANGED] = "changed",
		[MATCH_AMBIGUOUS] = "ambiguous",
	};

	return names[match];
}

static bool ids_equal(const struct pci_ids *a, const struct pci_ids *b)
{
	return a->vendor == b->vendor && a->device == b->device &&
	       a->subvendor == b->subvendor && a->subdevice == b->subdevice &&
	       a->class == b->class;
}

void identity_add_ids(struct str *s, const struct pci_ids *ids)
{
	str_add_hex(s, ids->vendor, 4);
	str_add_char(s, ':');
	str_add_hex(s, ids->device, 4);
	str_add(s, " (subsystem ");
	str_add_hex(s, ids->subvendor, 4);
	str_add_char(s, ':');
	str_add_hex(s, ids->subdevice, 4);
	str_add(s, ", class ");
	str_add_hex(s, ids->class, 6);
	str_add_char(s, ')');
}

static bool same_serial(const struct identity *id, const struct pci_config *config)
{
	return config->has_serial && config->serial == id->serial;
}

/* Something sits at the path: is it the one? */
static void judge_place(struct fs *fs, const struct pci_function *f,
			const struct identity *id, struct identity_result *ret)
{
	struct str s = STR_ON(ret->detail);
	int r;

	ret->function = *f;
	ret->match = MATCH_CHANGED;
	if (!f->known) {
		str_add(&s, "its uevent file cannot be read");
		return;
	}
	if (!ids_equal(&f->ids, &id->ids)) {
		str_add(&s, "its place holds ");
		identity_add_ids(&s, &f->ids);
		return;
	}
	r = pci_config_read(fs, f->address, id->has_serial, &ret->config);
	if (r < 0) {
		str_join(&s, "its configuration space cannot be read: ", str_errno(r),
			 NULL);
	} else if (!ret->config.alive) {
		ret->match = MATCH_ABSENT;
		str_add(&s, "it does not answer configuration reads");
	} else if (id->has_serial && !same_serial(id, &ret->config)) {
		str_add(&s, "its place holds a card of the same model with ");
		if (ret->config.has_serial) {
			str_add(&s, "serial number ");
			str_add_hex(&s, ret->config.serial, 16);
		} else {
			str_add(&s, "no readable serial number");
		}
	} else {
		ret->match = MATCH_EXACT;
	}
}

/*
 * Nothing sits at the path: is it elsewhere? A serial number proves it by itself. Without
 * one, what cannot be read could be a twin.
 */
static void search(struct fs *fs, const struct pci_list *list, const struct identity *id,
		   struct identity_result *ret)
{
	struct str s = STR_ON(ret->detail);
	const struct pci_function *f, *found = NULL;
	unsigned candidates = 0, unreadable = 0;
	struct pci_config config;

	for (size_t i = 0; i < list->n; i++) {
		f = &list->functions[i];
		if (f->known && !ids_equal(&f->ids, &id->ids))
			continue;
		if (!f->known ||
		    pci_config_read(fs, f->address, id->has_serial, &config) < 0 ||
		    !config.alive) {
			unreadable++;
		} else if (!id->has_serial || same_serial(id, &config)) {
			found = f;
			ret->config = config;
			candidates++;
		}
	}
	if (found && !id->has_serial)
		candidates += unreadable;
	if (candidates > 1) {
		ret->match = MATCH_AMBIGUOUS;
		/* else none of them would be taken for it, however many there are */
		ret->nothing_there = !id->has_serial && !id->unique;
		str_add(&s, "nothing sits at its path, and ");
		str_add_uint(&s, candidates);
		str_add(&s, " functions elsewhere could be it");
	} else if (found && (id->has_serial || id->unique)) {
		ret->match = MATCH_MOVED;
		ret->function = *found;
		str_add(&s, "it moved to ");
		pci_address_add(&s, found->address);
	} else {
		ret->match = MATCH_ABSENT;
		ret->nothing_there = true;
		str_add(&s, "nothing sits at its path");
		if (found)
			str_add(&s, ", and nothing proves that the one elsewhere is it");
	}
}

/*
 * Two functions can have one path only if they differ in nothing but the bus. Then the
 * address proves nothing, and the path must be walked to see both.
 */
static bool hint_is_alone(const struct pci_list *list, const struct identity *id,
			  struct pci_address hint)
{
	for (size_t i = 0; i < list->n; i++) {
		const struct pci_function *f = &list->functions[i];

		if (f->address.domain == hint.domain && f->address.devfn == hint.devfn &&
		    f->address.bus != hint.bus &&
		    (!f->known || ids_equal(&f->ids, &id->ids)))
			return false;
	}
	return true;
}

void identity_find(struct fs *fs, const struct pci_list *list, const struct identity *id,
		   struct pci_address hint, struct identity_result *ret)
{
	const struct pci_function *f;
	struct pci_address address;
	struct str s;
	int r;

	*ret = (struct identity_result){ .match = MATCH_ABSENT };
	s = STR_ON(ret->detail);
	r = pci_path_resolve(fs, &id->path, hint_is_alone(list, id, hint) ? &hint : NULL,
			     &address);
	if (r == -ENOTUNIQ) {
		ret->match = MATCH_AMBIGUOUS;
		str_add(&s, "more than one function sits at its path");
		return;
	}
	if (r == -ENOENT || r == -ENOTDIR) {
		search(fs, list, id, ret);
		return;
	}
	f = r < 0 ? NULL : pci_find(list, address);
	if (f)
		judge_place(fs, f, id, ret);
	else
		str_join(&s,
			 "its path cannot be followed: ", str_errno(r < 0 ? r : -ENODEV),
			 NULL);
}
