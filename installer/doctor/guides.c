/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What guides tell people to do with drivers and ids, and whom that hits.
 */
#include <stdlib.h>

#include "doctor.h"

#define IDS_MAX 64 /* of one list; vfio-pci takes 30 */
#define SHOWN 4 /* addresses that are named */
#define ANY 0xffffffffu /* PCI_ANY_ID */

void doctor_plain_name(char *dst, size_t size, const char *name)
{
	str_copy(dst, size, name);
	for (; *dst; dst++)
		if (*dst == '-')
			*dst = '_';
}

const char *doctor_rebuild(const struct doctor *d)
{
	char text[512], said[512];
	struct str evidence = STR_ON(text), why = STR_ON(said);
	const struct initramfs *generator = initramfs_find(d->root, &evidence, &why);

	return generator && generator->rebuild
		       ? generator->rebuild
		       : _("rebuild the initramfs of every kernel");
}

/* Appends an address unless enough are there. */
static void show(struct str *where, size_t *n, struct pci_address address)
{
	if (*n < SHOWN) {
		str_add(where, *n ? ", " : "");
		pci_address_add(where, address);
	} else if (*n == SHOWN) {
		str_add(where, _(" and more"));
	}
	++*n;
}

/* ---- blacklists */

/* Drivers of the devices that guides are about. */
static const struct driver {
	const char *name;
	uint16_t vendor; /* 0: any */
	uint32_t class, mask;
} drivers[] = {
	{ "nouveau", 0x10de, 0x030000, 0xff0000 },
	{ "nvidia", 0x10de, 0x030000, 0xff0000 },
	{ "nvidia_drm", 0x10de, 0x030000, 0xff0000 },
	{ "nvidia_modeset", 0x10de, 0x030000, 0xff0000 },
	{ "amdgpu", 0x1002, 0x030000, 0xff0000 },
	{ "radeon", 0x1002, 0x030000, 0xff0000 },
	{ "i915", 0x8086, 0x030000, 0xff0000 },
	{ "xe", 0x8086, 0x030000, 0xff0000 },
	{ "snd_hda_intel", 0, 0x040300, 0xffff00 },
	{ "xhci_hcd", 0, 0x0c0330, 0xffffff },
	{ "xhci_pci", 0, 0x0c0330, 0xffffff },
	{ "i2c_nvidia_gpu", 0x10de, 0x0c8000, 0xffff00 },
};

/* How many functions of its kind the host has; those it would take from it in `where`. */
static size_t hit_by(const struct doctor *d, const struct driver *driver,
		     struct str *where, size_t *ret_hit)
{
	char current[PCI_DRIVER_LEN];
	size_t n = 0;

	*ret_hit = 0;
	for (size_t i = 0; i < d->machine.list.n; i++) {
		const struct pci_function *f = &d->machine.list.functions[i];

		if (!f->known || (f->ids.class & driver->mask) != driver->class ||
		    (driver->vendor && f->ids.vendor != driver->vendor) ||
		    doctor_claimed(d, f->address))
			continue;
		n++;
		doctor_plain_name(current, sizeof(current), f->driver);
		if (!*current || str_equal(current, driver->name) ||
		    (str_starts(current, "xhci") && str_starts(driver->name, "xhci")))
			show(where, ret_hit, f->address);
	}
	return n;
}

void doctor_judge_blacklist(struct doctor *d, const char *where, const char *driver)
{
	char name[PCI_DRIVER_LEN], text[256];
	struct str hits = STR_ON(text);
	const struct driver *known = NULL;
	size_t kind, hit;

	doctor_plain_name(name, sizeof(name), driver);
	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++)
		if (str_equal(name, drivers[i].name))
			known = &drivers[i];
	if (!known)
		return;
	kind = hit_by(d, known, &hits, &hit);
	/* the host's cards have another driver: nvidia's packages blacklist nouveau */
	if (kind && !hit)
		return;
	if (hit)
		doctor_say(d, DOCTOR_WARNING,
			   _("%s: %s is kept away, from cards of the host, too: %s"),
			   where, name, text);
	else
		doctor_say(d, DOCTOR_WARNING,
			   _("%s: %s is kept away; vfio-claim does not need that, and "
			     "the next card would have no driver"),
			   where, name);
}

/* ---- ids */

struct id {
	unsigned long vendor, device, subvendor, subdevice, class, mask;
};

/* As vfio_pci_fill_ids() of drivers/vfio/pci/vfio_pci.c reads one. */
static bool parse_id(const char *text, struct id *ret)
{
	unsigned long *const fields[] = { &ret->vendor,	   &ret->device, &ret->subvendor,
					  &ret->subdevice, &ret->class,	 &ret->mask };
	char *end;
	size_t n;

	*ret = (struct id){ .subvendor = ANY, .subdevice = ANY };
	for (n = 0; n < ARRAY_SIZE(fields); n++) {
		*fields[n] = strtoul(text, &end, 16);
		if (end == text)
			return false;
		if (*end != ':')
			break;
		text = end + 1;
	}
	return !*end && n >= 1;
}

static bool id_matches(const struct id *id, const struct pci_ids *ids)
{
	return id->vendor == ids->vendor && id->device == ids->device &&
	       (id->subvendor == ANY || id->subvendor == ids->subvendor) &&
	       (id->subdevice == ANY || id->subdevice == ids->subdevice) &&
	       !((id->class ^ ids->class) & id->mask);
}

static void judge_id(struct doctor *d, const char *where, const char *text)
{
	char hits[256] = "", foreign[256] = "";
	struct str h = STR_ON(hits), f = STR_ON(foreign);
	size_t n = 0, n_foreign = 0;
	struct id id;

	if (!parse_id(text, &id)) {
		doctor_say(d, DOCTOR_WARNING, _("%s: %.60s is no id"), where, text);
		return;
	}
	for (size_t i = 0; i < d->machine.list.n; i++) {
		const struct pci_function *function = &d->machine.list.functions[i];

		if (!function->known || !id_matches(&id, &function->ids))
			continue;
		show(&h, &n, function->address);
		if (!doctor_claimed(d, function->address))
			show(&f, &n_foreign, function->address);
	}
	if (n_foreign)
		doctor_say(d, DOCTOR_PROBLEM,
			   _("%s: id %.60s takes what no claim names: %s"), where, text,
			   foreign);
	else if (n > 1)
		doctor_say(d, DOCTOR_PROBLEM, _("%s: id %.60s takes twins: %s"), where,
			   text, hits);
	else if (n)
		doctor_say(d, DOCTOR_WARNING,
			   _("%s: id %.60s takes %s, which is claimed by place anyway; a "
			     "second card of its kind would be taken, too"),
			   where, text, hits);
	else
		doctor_say(d, DOCTOR_WARNING, _("%s: id %.60s matches nothing"), where,
			   text);
}

void doctor_judge_ids(struct doctor *d, const char *where, const char *ids)
{
	char one[64];

	for (size_t n = 0; *ids && n < IDS_MAX; n++) {
		const size_t len = strcspn(ids, ",");
		struct str s = STR_ON(one);

		str_add_n(&s, ids, len);
		ids += len + (ids[len] == ',');
		if (!len)
			continue;
		judge_id(d, where, one);
		doctor_mend(d, _("take the ids away there: vfio-claim needs none"));
	}
}
