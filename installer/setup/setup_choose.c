/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setup_choose.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "machine.h"
#include "prompt.h"
#include "setup_conf.h"
#include "text.h"

void setup_choice_finish(struct setup_choice *choice)
{
	free(choice->functions);
	*choice = (struct setup_choice){ .n = 0 };
}

static int compare(const void *a, const void *b)
{
	const struct card_function *x = a, *y = b;

	return pci_address_compare(x->function.address, y->function.address);
}

static int append(struct setup_choice *choice, const struct card_function *function)
{
	struct card_function *more;

	for (size_t i = 0; i < choice->n; i++)
		if (compare(&choice->functions[i], function) == 0)
			return 0;
	more = reallocarray(choice->functions, choice->n + 1, sizeof(*more));
	if (!more)
		return -ENOMEM;
	choice->functions = more;
	more[choice->n++] = *function;
	qsort(more, choice->n, sizeof(*more), compare);
	return 0;
}

static int append_card(struct setup_choice *choice, const struct card *card)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < card->n; i++)
		r = append(choice, &card->functions[i]);
	return r;
}

static const struct card *card_at(const struct cards *cards, struct pci_address address)
{
	for (size_t i = 0; i < cards->n; i++)
		if (pci_address_compare(cards->cards[i].functions[0].function.address,
					address) == 0)
			return &cards->cards[i];
	return NULL;
}

bool setup_choose_is_address(const char *word, struct pci_address *ret)
{
	char full[64];

	/* as lspci prints it, without the domain */
	snprintf(full, sizeof(full), "0000:%s", word);
	return pci_address_parse(word, ret) || pci_address_parse(full, ret);
}

static int append_word(struct fs *root, const struct cards *cards, const char *word,
		       bool only, struct setup_choice *choice, struct str *why)
{
	const struct pci_function *function;
	struct card_function alone;
	struct pci_address address;
	const struct card *card;
	char clean[64];
	int r;

	text_clean(clean, sizeof(clean), word);
	if (!setup_choose_is_address(word, &address)) {
		str_join(why, clean,
			 _(": expected an address as 0000:01:00.0, which \"vfio-claim "
			   "list\" shows, or just the name of a claim that /" CONF_PATH
			   " has"),
			 NULL);
		return -EINVAL;
	}
	function = pci_find(&cards->all, address);
	if (!function) {
		str_join(why, clean,
			 _(": there is no such PCI function; \"vfio-claim list "
			   "--all\" shows them"),
			 NULL);
		return -EINVAL;
	}
	card = only ? NULL : card_at(cards, address);
	if (card)
		return append_card(choice, card);
	r = card_function_read(root, &cards->all, function, &alone);
	return r < 0 ? r : append(choice, &alone);
}

int setup_choose_words(struct fs *root, const struct cards *cards, char *const *words,
		       int n, bool only, struct setup_choice *ret, struct str *why)
{
	struct setup_choice choice = { .n = 0 };
	int r = 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = append_word(root, cards, words[i], only, &choice, why);
	if (r < 0) {
		setup_choice_finish(&choice);
		return r;
	}
	*ret = choice;
	return 0;
}

static int append_found(struct fs *root, const struct cards *cards,
			const struct conf_claim *claim, const struct machine *machine,
			struct setup_choice *choice)
{
	const struct machine_function *f = &machine->functions[claim->first];
	const struct pci_function *function;
	struct card_function alone;
	int r = 0;

	for (unsigned i = 0; r == 0 && i < claim->n; i++) {
		function = machine_function_found(&f[i])
				   ? pci_find(&cards->all, f[i].found.function.address)
				   : NULL;
		if (function)
			r = card_function_read(root, &cards->all, function, &alone);
		if (function && r == 0)
			r = append(choice, &alone);
	}
	return r;
}

int setup_choose_claim(struct fs *root, const struct cards *cards, const char *name,
		       struct setup_choice *ret, struct str *why)
{
	struct setup_choice choice = { .existing = true };
	const struct conf_claim *claim;
	char release[MACHINE_RELEASE_LEN];
	static struct machine machine;
	static struct conf conf;
	int r;

	r = setup_conf_load(root, &conf, why);
	if (r < 0) /* -EINVAL would be the word's fault */
		return r == -EINVAL ? -EBADMSG : r;
	claim = conf_claim_find(&conf, name);
	if (!claim)
		return -ENOENT;
	str_copy(choice.name, sizeof(choice.name), name);
	machine_release(root, release);
	r = machine_inspect(root, &conf, release, &machine);
	if (r == 0) {
		r = append_found(root, cards, claim, &machine, &choice);
		machine_finish(&machine);
	}
	if (r < 0) {
		str_add(why, str_errno(r));
		setup_choice_finish(&choice);
		return r;
	}
	*ret = choice;
	return 0;
}

static void print_choice(unsigned number, const struct card *card,
			 const struct shape_panels *panels)
{
	char address[PCI_ADDRESS_LEN], shape[1024];
	struct str s = STR_ON(shape);

	shape_describe(&card->shape, panels, &s);

	for (size_t i = 0; i < card->n; i++) {
		s = STR_ON(address);
		pci_address_add(&s, card->functions[i].function.address);
		if (i == 0)
			fprintf(stderr, "%3u  ", number);
		else
			fputs(_("     with "), stderr);
		fprintf(stderr, "%s %s\n", address, card->functions[i].name);
	}
	if (*shape)
		fprintf(stderr, "     %s\n", shape);
	fprintf(stderr, "     %s\n", card->detail);
}

/*
 * The one that can be claimed and is not what the machine shows now, nor has a laptop's
 * panel, wherever a MUX has that now; 0: none.
 */
static unsigned propose(const struct cards *cards)
{
	for (size_t i = 0; i < cards->n; i++)
		if (cards->cards[i].verdict == CARD_CLAIMABLE &&
		    !cards->cards[i].boot_display && !cards->cards[i].shape.panel)
			return (unsigned)i + 1;
	return 0;
}

int setup_choose_asking(const struct cards *cards, struct setup_choice *ret,
			struct str *why)
{
	const struct shape_panels panels = cards_panels(cards);
	struct setup_choice choice = { .n = 0 };
	unsigned number;
	int r;

	if (!cards->n) {
		str_add(why, _("there is no graphics card in this machine"));
		return -ENODEV;
	}
	for (size_t i = 0; i < cards->n; i++)
		print_choice((unsigned)i + 1, &cards->cards[i], &panels);
	number = prompt_number(_("Which card goes to virtual machines? (q: none)"),
			       (unsigned)cards->n, propose(cards));
	if (!number) {
		str_add(why, _("nothing was changed"));
		return -ECANCELED;
	}
	r = append_card(&choice, &cards->cards[number - 1]);
	if (r == 0)
		*ret = choice;
	else
		setup_choice_finish(&choice);
	return r;
}
