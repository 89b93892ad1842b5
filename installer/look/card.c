/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "card.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "companions.h"
#include "display.h"
#include "driver.h"
#include "survey.h"
#include "text.h"

_Static_assert(CARD_MAX_FUNCTIONS == COMPANIONS_MAX + 1, "a card is a display and these");

/* ---- one function */

static int read_function(struct survey *s, const struct pci_function *f,
			 struct card_function *ret)
{
	const struct iommu_group *group = survey_group(s, f);
	int r;

	if (!group)
		return -ENOMEM;
	*ret = (struct card_function){
		.function = *f,
		.group = group->id,
		.unique = s->unique[f - s->all->functions],
	};
	if (f->known)
		names_function(s->names, &f->ids, ret->name, sizeof(ret->name));
	else
		str_copy(ret->name, sizeof(ret->name), _("cannot be read"));
	r = pci_path_of(s->root, f->address, &ret->path);
	if (r == 0)
		r = pci_config_read(s->root, f->address, true, &ret->config);
	return r;
}

int card_function_read(struct fs *root, const struct pci_list *all,
		       const struct pci_function *function, struct card_function *ret)
{
	const struct pci_function *f = pci_find(all, function->address);
	struct survey survey;
	int r;

	if (!f)
		return -ENODEV;
	r = survey_init_names(&survey, root, all);
	if (r < 0)
		return r;
	r = read_function(&survey, f, ret);
	survey_finish(&survey);
	return r;
}

/* ---- the verdict, in the order of what the owner must mend first */

static bool verdict(struct card *card, enum card_verdict verdict)
{
	card->verdict = verdict;
	return true;
}

static void address_text(char buf[static PCI_ADDRESS_LEN], struct pci_address address)
{
	struct str s;

	str_init(&s, buf, PCI_ADDRESS_LEN);
	pci_address_add(&s, address);
}

static bool judge_claimed(struct card *card)
{
	unsigned n = 0;

	if (!str_equal(card->functions[0].function.driver, "vfio-pci"))
		return false;
	for (size_t i = 0; i < card->n; i++)
		n += str_equal(card->functions[i].function.driver, "vfio-pci");
	if (n == card->n)
		snprintf(card->detail, sizeof(card->detail),
			 _("is claimed: on vfio-pci"));
	else
		snprintf(card->detail, sizeof(card->detail),
			 _("is claimed, %u of its %zu functions: on vfio-pci"), n,
			 card->n);
	return verdict(card, CARD_CLAIMED);
}

static bool judge_readable(struct card *card, const int *errors)
{
	char address[PCI_ADDRESS_LEN];
	const char *why = NULL;

	for (size_t i = 0; !why && i < card->n; i++) {
		const struct card_function *f = &card->functions[i];

		if (errors[i] < 0)
			why = str_errno(errors[i]);
		else if (!f->function.known)
			why = _("sysfs does not say what it is");
		else if (!f->config.alive)
			why = _("it does not answer");
		if (why)
			address_text(address, f->function.address);
	}
	if (!why)
		return false;
	snprintf(card->detail, sizeof(card->detail), _("cannot be judged: %s: %s"),
		 address, why);
	return verdict(card, CARD_E_UNREADABLE);
}

static bool judge_iommu(struct survey *s, struct card *card)
{
	char address[PCI_ADDRESS_LEN];
	const struct iommu_group *group;

	if (s->unsafe) {
		snprintf(card->detail, sizeof(card->detail),
			 _("cannot be claimed: vfio runs with "
			   "enable_unsafe_noiommu_mode; remove that option"));
		return verdict(card, CARD_E_NO_IOMMU);
	}
	if (!s->iommu) {
		snprintf(card->detail, sizeof(card->detail),
			 _("cannot be claimed: no IOMMU is active: %s"),
			 _(iommu_missing_hint(s->root)));
		return verdict(card, CARD_E_NO_IOMMU);
	}
	for (size_t i = 0; i < card->n; i++) {
		group = survey_group(
			s, pci_find(s->all, card->functions[i].function.address));
		if (group && group->proof == IOMMU_PROVEN)
			continue;
		address_text(address, card->functions[i].function.address);
		snprintf(card->detail, sizeof(card->detail),
			 _("cannot be claimed: %s: %s"), address,
			 group ? group->detail : str_errno(ENOMEM));
		return verdict(card, CARD_E_NO_IOMMU);
	}
	return false;
}

static bool judge_needed(struct survey *s, struct card *card)
{
	char address[PCI_ADDRESS_LEN];
	const char *what;

	for (size_t i = 0; i < card->n; i++) {
		what = needed_find(&s->needed, card->functions[i].function.address);
		if (!what)
			continue;
		address_text(address, card->functions[i].function.address);
		snprintf(card->detail, sizeof(card->detail),
			 _("cannot be claimed: this machine lives on %s: %s; connect "
			   "that disk elsewhere, or leave this function out"),
			 address, what);
		return verdict(card, CARD_E_NEEDED);
	}
	return false;
}

static bool has(const struct card *card, struct pci_address address)
{
	for (size_t i = 0; i < card->n; i++)
		if (pci_address_compare(card->functions[i].function.address, address) ==
		    0)
			return true;
	return false;
}

/* As plan_check_groups() will judge at the next boot. */
static const char *obstacle(const struct survey *s, const struct pci_function *member)
{
	if (!member || !member->known)
		return _("which cannot be read");
	if (member->driver[0])
		return driver_vfio_accepts(member->driver) ? NULL : _("held by");
	if (s->modules && !pci_is_bridge(&member->ids))
		return _("which a host driver may take");
	return NULL;
}

static bool judge_group(struct survey *s, struct card *card)
{
	const struct iommu_group *group;
	const struct pci_function *member;
	char address[PCI_ADDRESS_LEN], driver[PCI_DRIVER_LEN], name[64] = "?";
	const char *why;

	for (size_t i = 0; i < card->n; i++) {
		group = survey_group(
			s, pci_find(s->all, card->functions[i].function.address));
		for (size_t k = 0; group && k < group->n; k++) {
			if (has(card, group->members[k]))
				continue;
			member = pci_find(s->all, group->members[k]);
			why = obstacle(s, member);
			if (!why)
				continue;
			address_text(address, group->members[k]);
			if (member && member->known)
				names_function(s->names, &member->ids, name,
					       sizeof(name));
			text_clean(driver, sizeof(driver), member ? member->driver : "");
			snprintf(card->detail, sizeof(card->detail),
				 _("cannot be claimed alone: IOMMU group %d also holds "
				   "%s (%s), %s%s%s; claim it, too%s"),
				 group->id, address, name, why, *driver ? " " : "",
				 driver,
				 card->shape.removable
					 ? ""
					 : _(", or move the card to another slot"));
			return verdict(card, CARD_E_GROUP);
		}
	}
	return false;
}

static bool judge_last_display(const struct survey *s, struct card *card)
{
	unsigned serving = 0;
	bool takes = false;

	for (size_t i = 0; i < card->n; i++) {
		takes = takes || display_is_hosts(&card->functions[i].function);
		serving += display_serves_host(&card->functions[i].function);
	}
	if (!takes || serving < s->host_displays)
		return false;
	snprintf(card->detail, sizeof(card->detail),
		 _("is the host's last display: can be claimed with --no-display-ok "
		   "only"));
	return verdict(card, CARD_E_LAST_DISPLAY);
}

static void judge(struct survey *s, struct card *card, const int *errors)
{
	if (judge_claimed(card) || judge_readable(card, errors) || judge_iommu(s, card) ||
	    judge_needed(s, card) || judge_group(s, card) || judge_last_display(s, card))
		return;
	card->verdict = CARD_CLAIMABLE;
	snprintf(card->detail, sizeof(card->detail), _("can be claimed"));
}

/* ---- cards */

static void read_displays(struct survey *s, struct card *card)
{
	const struct displays *d = &s->displays;
	const struct pci_address display = card->functions[0].function.address;
	char path[FS_PATH_MAX], value[8];

	for (size_t i = 0; i < d->n && card->n_connectors < CARD_MAX_CONNECTORS; i++)
		if (d->connectors[i].connected && has(card, d->connectors[i].address))
			str_copy(card->connectors[card->n_connectors++],
				 sizeof(card->connectors[0]), d->connectors[i].name);
	if (card->functions[0].function.ids.class >> 8 == 0x0300) {
		pci_device_path(path, sizeof(path), display, "boot_vga");
		card->boot_vga = fs_read_text(s->root, path, value, sizeof(value)) == 0 &&
				 str_equal(value, "1");
	}
	for (size_t i = 0; i < card->n; i++)
		card->boot_display =
			card->boot_display ||
			displays_framebuffer(d, card->functions[i].function.address);
	/* boot_vga can be wrong: only where there is no proof */
	if (!d->n_framebuffers)
		card->boot_display = card->boot_vga;
}

static int read_card(struct survey *s, const struct pci_function *display,
		     struct card *ret)
{
	struct companions companions;
	int errors[CARD_MAX_FUNCTIONS] = { 0 };
	int r;

	*ret = (struct card){ .n = 1 };
	r = companions_find(s->root, s->all, display, &companions);
	errors[0] = read_function(s, display, &ret->functions[0]);
	if (errors[0] == 0)
		errors[0] = r;
	for (size_t i = 0; i < companions.n; i++, ret->n++)
		errors[ret->n] =
			read_function(s, pci_find(s->all, companions.addresses[i]),
				      &ret->functions[ret->n]);
	for (size_t i = 0; i < ret->n; i++)
		if (errors[i] == -ENOMEM)
			return -ENOMEM;
	read_displays(s, ret);
	shape_read(s->root, &s->displays, display, &ret->shape);
	judge(s, ret, errors);
	return 0;
}

static int add_card(struct cards *cards, size_t *room, struct survey *s,
		    const struct pci_function *display)
{
	int r;

	if (cards->n == *room) {
		size_t more = *room ? *room * 2 : 8;
		void *larger = realloc(cards->cards, more * sizeof(*cards->cards));

		if (!larger)
			return -ENOMEM;
		cards->cards = larger;
		*room = more;
	}
	r = read_card(s, display, &cards->cards[cards->n]);
	if (r == 0)
		cards->n++;
	return r;
}

int cards_scan(struct fs *root, struct cards *ret)
{
	struct cards cards = { 0 };
	struct survey survey;
	size_t room = 0;
	int r;

	r = pci_scan(root, &cards.all);
	if (r < 0)
		return r;
	r = survey_init(&survey, root, &cards.all);
	if (r < 0) {
		cards_finish(&cards);
		return r;
	}
	for (size_t i = 0; r == 0 && i < cards.all.n; i++) {
		const struct pci_function *f = &cards.all.functions[i];

		if (f->known && pci_is_display(&f->ids) &&
		    !companions_second_display(root, &cards.all, f))
			r = add_card(&cards, &room, &survey, f);
	}
	survey_finish(&survey);
	if (r < 0)
		cards_finish(&cards);
	else
		*ret = cards;
	return r;
}

struct shape_panels cards_panels(const struct cards *cards)
{
	struct shape_panels panels = { .n = 0 };

	for (size_t i = 0; i < cards->n; i++)
		shape_count_panel(&cards->cards[i].shape, &panels);
	return panels;
}

void cards_finish(struct cards *cards)
{
	free(cards->cards);
	pci_list_finish(&cards->all);
	*cards = (struct cards){ 0 };
}
