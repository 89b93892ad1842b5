/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The domain's functions against the claims: found again by identity, and complete.
 */
#include "check.h"
#include "text.h"

#define FUNCTIONS 8 /* of a device */

void check_no_hostdev(struct check *c)
{
	if (c->attached->n_hostdevs)
		return;
	check_say(c, CHECK_NOTE, _("the domain gets no PCI function of this machine"));
	check_mend(c, "vfio-claim vm attach %s --claim NAME", c->name);
}

void check_claim_unknown(struct check *c)
{
	for (size_t i = 0; i < c->attached->n_claims; i++) {
		const struct attached_claim *claim = &c->attached->claims[i];

		if (claim->claimed.conf)
			continue;
		check_say(c, CHECK_WARNING,
			  _("its metadata names the claim %s, and there is none in "
			    "/etc/vfio-claim.conf: nothing holds its functions"),
			  claim->name);
		check_mend(c,
			   _("vfio-claim setup, or vfio-claim vm detach %s --claim %s"),
			   c->name, claim->name);
	}
}

/* ---- where the functions are */

static bool fix_moved(struct check *c, size_t hostdev)
{
	const struct attached *a = c->attached;
	const struct claimed_function *f = attached_function(a, hostdev);

	return hostdev_set_source(a->hostdevs[hostdev].node, f->function.address);
}

/* All at once: two that changed places would else be one, for a moment. */
static void fix_all_moved(struct check *c)
{
	const struct attached *a = c->attached;
	bool touched[METADATA_MAX_CLAIMS] = { false }, done = true;

	for (size_t i = 0; i < a->n_hostdevs; i++)
		if (attached_moved(a, i)) {
			done = done && fix_moved(c, i);
			touched[a->of[i].claim] = true;
		}
	for (size_t i = 0; i < a->n_claims; i++)
		if (touched[i])
			done = done && metadata_write(c->domain, &a->claims[i].claimed);
	check_fixed(c, done);
}

static void say_moved(struct check *c, size_t hostdev)
{
	const struct attached *a = c->attached;
	const struct pci_address source = a->hostdevs[hostdev].source;
	const struct claimed_function *f = attached_function(a, hostdev);
	const struct pci_function *other = pci_find(&c->cards.all, source);

	check_say(c, CHECK_PROBLEM,
		  _("%s (%s, claim %s) is at %s now; at the domain's address is %s"),
		  check_address(source).text, f->name,
		  a->claims[a->of[hostdev].claim].name,
		  check_address(f->function.address).text,
		  other ? _("another function") : _("nothing"));
}

void check_moved(struct check *c)
{
	size_t n = 0;
	bool fix = false;

	for (size_t i = 0; i < c->attached->n_hostdevs; i++) {
		if (!attached_moved(c->attached, i))
			continue;
		say_moved(c, i);
		fix = check_shall_fix(c);
		n++;
	}
	if (!n || !fix || c->error)
		return;
	fix_all_moved(c);
	for (size_t i = 1; i <= n && !c->error; i++)
		c->findings[c->n - i].fixed = true;
}

void check_doubtful(struct check *c)
{
	const struct attached *a = c->attached;

	for (size_t i = 0; i < a->n_hostdevs; i++) {
		if (!a->of[i].doubtful)
			continue;
		check_say(c, CHECK_WARNING,
			  _("%s is %s of claim %s now, and was another claimed function "
			    "when /etc/vfio-claim.conf was written; the domain does not "
			    "say which one it wants"),
			  check_address(a->hostdevs[i].source).text,
			  attached_function(a, i)->name, a->claims[a->of[i].claim].name);
		check_mend(c,
			   _("vfio-claim vm detach %s --claim %s, then attach the claim "
			     "that it shall have: that notes it"),
			   c->name, a->claims[a->of[i].claim].name);
	}
}

/* Of claims that the domain uses, whether it has this function or not. */
static void say_lost(struct check *c, enum match match, const char *what)
{
	const struct attached *a = c->attached;

	for (size_t i = 0; i < a->n_claims; i++)
		for (size_t k = 0; k < a->claims[i].claimed.n; k++) {
			const struct claimed_function *f =
				&a->claims[i].claimed.functions[k];

			if (f->match != match)
				continue;
			check_say(c, CHECK_PROBLEM, _("%s (%s) of claim %s %s: %s"),
				  check_address(f->conf->address).text, f->name,
				  a->claims[i].name, what, f->detail);
			check_mend(c, _("vfio-claim status says more; after a change of "
					"cards: vfio-claim setup"));
		}
}

int check_awaited(const struct check *c, size_t hostdev)
{
	/* nobody noted that it was this: what is there may be wanted */
	if (c->attached->of[hostdev].claim == ATTACHED_NONE &&
	    pci_find(&c->cards.all, c->attached->hostdevs[hostdev].source))
		return ATTACHED_NONE;
	return attached_awaited(c->attached, hostdev);
}

/* True if the hostdev is no longer in the domain. */
static bool say_awaited(struct check *c, size_t hostdev, int claim)
{
	const struct attached_claim *ac = &c->attached->claims[claim];
	const struct hostdev *h = &c->attached->hostdevs[hostdev];

	check_say(c, CHECK_PROBLEM,
		  _("%s was an optional function of claim %s that is not in the machine "
		    "now; at the domain's address is %s"),
		  check_address(h->source).text, ac->name,
		  pci_find(&c->cards.all, h->source) ? _("another function")
						     : _("nothing"));
	if (!check_shall_fix(c))
		return false;
	metadata_forget(c->domain, ac->name, h->source);
	hostdev_remove(c->domain, h, 1);
	check_fixed(c, true);
	return true;
}

void check_absent(struct check *c)
{
	say_lost(c, MATCH_ABSENT, _("is not in the machine"));
	for (size_t i = 0; i < c->attached->n_hostdevs && !c->error;) {
		const int claim = check_awaited(c, i);

		if (claim == ATTACHED_NONE || !say_awaited(c, i, claim))
			i++;
	}
}

void check_changed(struct check *c)
{
	say_lost(c, MATCH_CHANGED, _("is another device now"));
}

void check_ambiguous(struct check *c)
{
	say_lost(c, MATCH_AMBIGUOUS, _("cannot be told from its twin"));
}

/* ---- what belongs to them */

/* A hostdev of the domain whose function is of the same device in the guest. */
static const struct hostdev *sibling(const struct check *c,
				     const struct attached_claim *claim,
				     const struct claimed_function *f)
{
	for (size_t i = 0; i < claim->claimed.n; i++)
		if (claim->hostdevs[i] != ATTACHED_NONE &&
		    claim->claimed.functions[i].device == f->device &&
		    c->attached->hostdevs[claim->hostdevs[i]].placed)
			return &c->attached->hostdevs[claim->hostdevs[i]];
	return NULL;
}

/* The function's own number, if that is free, or another one that is. */
static bool free_number(const struct check *c, struct pci_address slot, unsigned wanted,
			unsigned *ret)
{
	for (unsigned i = 0; i <= FUNCTIONS; i++) {
		const unsigned number = i ? i - 1 : wanted;
		struct pci_address at = slot;

		at.devfn |= number;
		if (number < FUNCTIONS && !hostdev_guest_at(c->domain, at)) {
			*ret = number;
			return true;
		}
	}
	return false;
}

static bool fix_companion(struct check *c, const struct attached_claim *claim,
			  const struct claimed_function *f)
{
	const struct hostdev *beside = sibling(c, claim, f);
	struct pci_address slot;
	unsigned number = 0;
	xmlNode *zero;

	if (beside) {
		slot = beside->guest;
		slot.devfn &= ~7u;
	}
	if (!beside || !free_number(c, slot, f->number, &number)) {
		number = 0;
		if (hostdev_new_slot(c->domain, &slot) < 0)
			return false;
	}
	if (!hostdev_add(c->domain, f->function.address, slot, number, beside != NULL))
		return false;
	zero = hostdev_guest_at(c->domain, slot);
	return !number || !zero || tree_set(zero, "multifunction", "on");
}

/* One; the others once what is attached has been read again. */
static bool say_left_out(struct check *c, size_t claim, size_t function)
{
	const struct attached_claim *ac = &c->attached->claims[claim];
	const struct claimed_function *f = &ac->claimed.functions[function];

	check_say(c, pci_is_display(&f->function.ids) ? CHECK_PROBLEM : CHECK_WARNING,
		  _("%s (%s) of claim %s is not in the domain"),
		  check_address(f->function.address).text, f->name, ac->name);
	if (!check_shall_fix(c))
		return false;
	check_fixed(c,
		    fix_companion(c, ac, f) && metadata_write(c->domain, &ac->claimed));
	return true;
}

static void check_claims_whole(struct check *c)
{
	for (size_t i = 0; i < c->attached->n_claims && !c->error; i++)
		for (size_t k = 0; k < c->attached->claims[i].claimed.n && !c->error; k++)
			if (c->attached->claims[i].hostdevs[k] == ATTACHED_NONE &&
			    claimed_found(&c->attached->claims[i].claimed.functions[k]))
				(void)say_left_out(c, i, k);
}

static bool is_claimed(const struct check *c, struct pci_address address)
{
	for (size_t i = 0; i < c->attached->n_claims; i++)
		for (size_t k = 0; k < c->attached->claims[i].claimed.n; k++)
			if (!pci_address_compare(c->attached->claims[i]
							 .claimed.functions[k]
							 .function.address,
						 address))
				return true;
	return false;
}

static void check_card_whole(struct check *c, const struct card *card)
{
	bool any = false;

	for (size_t i = 0; i < card->n; i++)
		any = any || check_attached(c, card->functions[i].function.address);
	for (size_t i = 0; any && i < card->n; i++) {
		const struct card_function *f = &card->functions[i];

		if (check_attached(c, f->function.address) ||
		    is_claimed(c, f->function.address))
			continue;
		check_say(c, CHECK_NOTE,
			  _("%s (%s) is of the same card, and neither in the domain nor "
			    "in its claim"),
			  check_address(f->function.address).text, f->name);
		check_mend(c, _("vfio-claim setup takes all of a card"));
	}
}

void check_companions(struct check *c)
{
	check_claims_whole(c);
	for (size_t i = 0; i < c->cards.n; i++)
		check_card_whole(c, &c->cards.cards[i]);
}
