/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Each function of the machine that the domain gets: who has it, and its place in the
 * guest.
 */
#include "check.h"
#include "driver.h"
#include "iommu.h"
#include "text.h"

static const struct hostdev *hostdev_at(const struct check *c, size_t i)
{
	return &c->attached->hostdevs[i];
}

/* Whose absence is said by another check. */
static bool is_known(const struct check *c, size_t i)
{
	return c->attached->of[i].claim != ATTACHED_NONE;
}

static bool is_managed(const struct hostdev *h)
{
	return tree_is(h->node, "managed", "yes");
}

void check_not_claimed(struct check *c)
{
	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct hostdev *h = hostdev_at(c, i);

		if (is_known(c, i) || !pci_find(&c->cards.all, h->source))
			continue;
		check_say(c, CHECK_NOTE,
			  _("%s is in no claim of /etc/vfio-claim.conf: it is taken from "
			    "the host when the domain starts, if at all"),
			  check_address(h->source).text);
		check_mend(c, "vfio-claim setup %s", check_address(h->source).text);
	}
}

void check_device_missing(struct check *c)
{
	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct hostdev *h = hostdev_at(c, i);

		if (is_known(c, i) || pci_find(&c->cards.all, h->source) ||
		    check_awaited(c, i) != ATTACHED_NONE)
			continue;
		check_say(c, CHECK_PROBLEM,
			  _("there is nothing at %s, and no claim says "
			    "what was there: the domain cannot start"),
			  check_address(h->source).text);
		check_mend(c, _("virsh edit %s, and remove that hostdev"), c->name);
	}
}

/* libvirt takes what is managed from its driver, but early boot is what is safe. */
void check_host_driver(struct check *c)
{
	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct pci_function *f = check_function(c, i);
		const bool claimed = attached_function(c->attached, i) != NULL;
		const bool managed = is_managed(hostdev_at(c, i));

		if (!f || claimed_driver(f->driver) || (managed && !claimed) ||
		    check_awaited(c, i) != ATTACHED_NONE)
			continue;
		check_say(c, managed ? CHECK_WARNING : CHECK_PROBLEM,
			  *f->driver ? _("%s is held by %s, the host's driver")
				     : _("%s has no driver, and needs vfio-pci%s"),
			  check_address(f->address).text, f->driver);
		if (claimed)
			check_mend(
				c,
				_("vfio-claim claim %s takes it now; vfio-claim status "
				  "says why it is not claimed"),
				c->attached->claims[c->attached->of[i].claim].name);
		else
			check_mend(c, _("vfio-claim setup %s claims it at each boot"),
				   check_address(f->address).text);
	}
}

/* ---- IOMMU groups */

static void judge_group(struct check *c, const struct pci_function *f,
			const struct iommu_group *group)
{
	if (group->proof != IOMMU_PROVEN) {
		check_say(c, CHECK_PROBLEM, "%s: %s", check_address(f->address).text,
			  group->detail);
		check_mend(c, _("vfio-claim doctor says why there is no IOMMU"));
		return;
	}
	for (size_t i = 0; i < group->n; i++) {
		const struct pci_function *m = pci_find(&c->cards.all, group->members[i]);

		if (!m || !*m->driver || driver_vfio_accepts(m->driver) ||
		    check_attached(c, m->address))
			continue;
		check_say(c, CHECK_PROBLEM,
			  _("%s shares IOMMU group %d with %s, which %s holds: QEMU gets "
			    "a group as a whole, or not at all"),
			  check_address(f->address).text, group->id,
			  check_address(m->address).text, m->driver);
		check_mend(c, _("vfio-claim list says what a claim of the card would "
				"take; vfio-claim setup takes it"));
	}
}

static bool judged_before(const int *ids, size_t n, int id)
{
	for (size_t i = 0; i < n; i++)
		if (ids[i] == id)
			return true;
	return false;
}

void check_group(struct check *c)
{
	int ids[HOSTDEV_MAX];
	size_t n = 0;

	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct pci_function *f = check_function(c, i);
		struct iommu_group group;

		if (!f || iommu_group_read(c->root, f->address, &group) < 0)
			continue;
		if (!judged_before(ids, n, group.id))
			judge_group(c, f, &group);
		ids[n++] = group.id;
		iommu_group_finish(&group);
	}
}

void check_managed(struct check *c)
{
	for (size_t i = 0; i < c->attached->n_hostdevs && !c->error; i++) {
		xmlNode *node = hostdev_at(c, i)->node;

		if (!is_managed(hostdev_at(c, i)) || !is_known(c, i))
			continue;
		check_say(c, CHECK_WARNING,
			  _("%s has managed='yes': libvirt hands it to the host's driver "
			    "whenever the domain ends, which many cards and desktops do "
			    "not survive"),
			  check_address(hostdev_at(c, i)->source).text);
		if (check_shall_fix(c))
			check_fixed(c, tree_set(node, "managed", "no"));
	}
}

/* ---- places in the guest */

/* A driver looks for its card's other functions where the card has them. */
void check_slots(struct check *c)
{
	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		const struct hostdev *h = hostdev_at(c, i), *other = NULL;

		for (size_t k = 0; k < i && !other; k++) {
			const struct hostdev *before = hostdev_at(c, k);

			if (pci_same_slot(before->source, h->source) && h->placed &&
			    before->placed && !pci_same_slot(before->guest, h->guest))
				other = before;
		}
		if (!other)
			continue;
		check_say(c, CHECK_WARNING,
			  _("%s and %s are one device here, and two in the guest: %s and "
			    "%s; drivers look for both in one"),
			  check_address(other->source).text,
			  check_address(h->source).text, check_address(other->guest).text,
			  check_address(h->guest).text);
		check_mend(c, _("detach the claim and attach it anew: that puts them "
				"together"));
	}
}

void check_guest_function(struct check *c)
{
	for (size_t i = 0; i < c->attached->n_hostdevs && !c->error; i++) {
		const struct hostdev *h = hostdev_at(c, i);
		struct pci_address zero = h->guest;
		xmlNode *first;

		zero.devfn &= ~7u;
		if (!h->placed || h->guest.devfn == zero.devfn)
			continue;
		first = hostdev_guest_at(c->domain, zero);
		if (first && tree_is(first, "multifunction", "on"))
			continue;
		check_say(c, CHECK_PROBLEM,
			  first ? _("%s is one of several functions in the guest, and "
				    "function 0 of that device, %s, has no "
				    "multifunction='on'")
				: _("%s is alone in the guest's device %s, without a "
				    "function 0: no guest finds it"),
			  check_address(h->source).text, check_address(zero).text);
		if (!first)
			check_mend(c, _("detach the claim and attach it anew"));
		else if (check_shall_fix(c))
			check_fixed(c, tree_set(first, "multifunction", "on"));
	}
}
