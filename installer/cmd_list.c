/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim list: graphics cards with what belongs to them, and whether each can be
 * claimed.
 */
#include <errno.h>
#include <langinfo.h>
#include <stdio.h>
#include <stdlib.h>

#include "command.h"
#include "iommu.h"
#include "list.h"
#include "text.h"

static bool all_functions, by_group;
static struct configured configured;

/* ---- cards */

static enum text_style style_of(enum card_verdict verdict)
{
	switch (verdict) {
	case CARD_CLAIMABLE:
	case CARD_CLAIMED:
		return TEXT_GOOD;
	case CARD_E_LAST_DISPLAY:
	case CARD_E_GROUP:
		return TEXT_WARNING;
	default:
		return TEXT_BAD;
	}
}

static void print_row(const struct list_row *row, const struct list_widths *w,
		      const char *indent)
{
	printf("%s%-*s  %-*s  %-*s  %-*s  %s", indent, w->address - (int)strlen(indent),
	       row->address, w->path, row->path, w->group, row->group, w->driver,
	       row->driver, row->name);
}

static void print_shows(const struct card *card)
{
	if (!card->boot_display && !card->n_connectors)
		return;
	printf("    %s", card->boot_display ? _("boot display") : "");
	if (card->n_connectors)
		printf("%s%s", card->boot_display ? "; " : "", _("connected: "));
	for (size_t i = 0; i < card->n_connectors; i++)
		printf("%s%s", i ? ", " : "", card->connectors[i]);
	puts("");
}

static void print_shape(const struct card *card, const struct shape_panels *panels)
{
	char text[1024];
	struct str s = STR_ON(text);

	shape_describe(&card->shape, panels, &s);
	if (*text)
		printf("    %s\n", text);
}

/* The functions of a claim, from the card's n-th on; all of them need no list. */
static void print_claim(const struct card *card, size_t n, const struct conf_claim *claim)
{
	char text[PCI_ADDRESS_LEN];
	size_t of_it = 0;

	for (size_t i = n; i < card->n; i++)
		of_it += configured_claim(&configured,
					  card->functions[i].function.address) == claim;
	printf(_("    in the claim %s"), claim->name);
	for (size_t i = n; of_it < card->n && i < card->n; i++) {
		const struct pci_address address = card->functions[i].function.address;
		struct str s = STR_ON(text);

		if (configured_claim(&configured, address) != claim)
			continue;
		pci_address_add(&s, address);
		printf("%s%s", i == n ? ": " : ", ", text);
	}
	if (claim->named)
		printf(_("; claimed only by a boot with vfio_claim=%s (boot = named)"),
		       claim->name);
	puts("");
}

static void print_claims(const struct card *card)
{
	const struct conf_claim *claim, *before[CARD_MAX_FUNCTIONS];

	for (size_t i = 0; i < card->n; i++) {
		bool told = false;

		claim = configured_claim(&configured,
					 card->functions[i].function.address);
		for (size_t k = 0; k < i; k++)
			told = told || before[k] == claim;
		if (claim && !told)
			print_claim(card, i, claim);
		before[i] = claim;
	}
}

static int print_cards(const struct context *context, const struct cards *cards)
{
	const struct shape_panels panels = cards_panels(cards);
	struct list_widths widths = { 0 };
	struct list_row row;

	for (size_t i = 0; i < cards->n; i++)
		for (size_t k = 0; k < cards->cards[i].n; k++) {
			list_row_card(&cards->cards[i].functions[k], &row);
			list_widen(&widths, &row);
		}
	widths.address += 2;
	for (size_t i = 0; i < cards->n; i++) {
		const struct card *card = &cards->cards[i];

		if (i)
			puts("");
		for (size_t k = 0; k < card->n; k++) {
			list_row_card(&card->functions[k], &row);
			print_row(&row, &widths, k ? "  " : "");
			puts("");
		}
		print_shows(card);
		print_shape(card, &panels);
		print_claims(card);
		fputs("    ", stdout);
		text_print(stdout, context->colour, style_of(card->verdict), "%s",
			   card->detail);
		puts("");
	}
	if (!cards->n)
		puts(_("There is no graphics card in this machine."));
	return EXIT_DONE;
}

/* ---- every function */

/* Ends the line. */
static void print_note(const struct list_entry *entry)
{
	const struct conf_claim *claim =
		configured_claim(&configured, entry->function->address);

	if (claim)
		printf(claim->named ? _("  [claim %s, boot = named]") : _("  [claim %s]"),
		       claim->name);
	puts("");
}

static int print_all(const struct list *list)
{
	struct list_widths widths = { 0 };
	struct list_row row;

	for (size_t i = 0; i < list->n; i++) {
		list_row_entry(&list->entries[i], &row);
		list_widen(&widths, &row);
	}
	for (size_t i = 0; i < list->n; i++) {
		list_row_entry(&list->entries[i], &row);
		print_row(&row, &widths, "");
		print_note(&list->entries[i]);
	}
	return EXIT_DONE;
}

/* The console of a rescue shell may know no more than ASCII. */
static const char *branch(bool last)
{
	const bool utf8 = str_equal(nl_langinfo(CODESET), "UTF-8");

	return last ? (utf8 ? "└─ " : "`- ") : (utf8 ? "├─ " : "|- ");
}

static void print_group(const struct context *context, const struct list_entry *const *of,
			size_t n)
{
	struct list_row row;
	bool last;

	if (of[0]->group < 0)
		text_print(stdout, context->colour, TEXT_WARNING, _("No group\n"));
	else
		text_print(stdout, context->colour, TEXT_BOLD, _("Group %d\n"),
			   of[0]->group);
	for (size_t i = 0; i < n; i++) {
		list_row_entry(of[i], &row);
		last = i + 1 == n;
		text_print(stdout, context->colour, TEXT_DIM, "%s", branch(last));
		printf("%s  ", row.address);
		text_print(stdout, context->colour,
			   pci_is_display(&of[i]->function->ids)  ? TEXT_BOLD
			   : pci_is_bridge(&of[i]->function->ids) ? TEXT_DIM
								  : TEXT_PLAIN,
			   "%s", row.name);
		printf("  (%s)", row.driver);
		print_note(of[i]);
	}
}

static int print_groups(const struct context *context, const struct list *list)
{
	const struct list_entry **order = list_by_group(list);
	size_t n;

	if (!order)
		return -ENOMEM;
	for (size_t i = 0; i < list->n; i += n) {
		for (n = 1; i + n < list->n && order[i + n]->group == order[i]->group;)
			n++;
		print_group(context, order + i, n);
	}
	free(order);
	return EXIT_DONE;
}

/* ---- the command */

static int show(struct context *context, const struct cards *cards)
{
	struct list list;
	int r;

	if (!context->json && !all_functions && !by_group)
		return print_cards(context, cards);
	r = list_read(&context->root, &cards->all, &list);
	if (r < 0)
		return r;
	if (context->json)
		r = list_print_json(&context->root, cards, &list, &configured);
	else if (by_group)
		r = print_groups(context, &list);
	else
		r = print_all(&list);
	list_finish(&list);
	return r;
}

static void warn_unreadable(const struct pci_list *all)
{
	size_t n = 0;

	for (size_t i = 0; i < all->n; i++)
		n += !all->functions[i].known;
	if (n)
		fprintf(stderr,
			ngettext("vfio-claim: %zu function cannot be read\n",
				 "vfio-claim: %zu functions cannot be read\n", n),
			n);
}

static void read_claims(struct fs *root, const struct pci_list *all)
{
	char text[512];
	struct str why = STR_ON(text);

	configured_read(root, all, &configured, &why);
	if (*text)
		fprintf(stderr,
			_("vfio-claim: which claims have these is not known: %s\n"),
			text);
}

static int run(struct context *context)
{
	struct cards cards;
	int r;

	r = cards_scan(&context->root, &cards);
	if (r == 0) {
		warn_unreadable(&cards.all);
		read_claims(&context->root, &cards.all);
		r = show(context, &cards);
		cards_finish(&cards);
	}
	if (r < 0) {
		fprintf(stderr, _("vfio-claim: the PCI functions cannot be listed: %s\n"),
			str_errno(r));
		return EXIT_REFUSED;
	}
	return r;
}

static bool option(int c, const char *value)
{
	(void)value;
	if (c == 'a')
		all_functions = true;
	else
		by_group = true;
	return true;
}

static const struct option options[] = {
	{ "all", no_argument, NULL, 'a' },
	{ "groups", no_argument, NULL, 'g' },
	COMMON_OPTIONS,
};

const struct command cmd_list = {
	.name = "list",
	.summary = N_("Graphics cards, what belongs to them, and whether they can be "
		      "claimed"),
	.help = N_("  --all           every PCI function\n"
		   "  --groups        every PCI function, by IOMMU group\n"),
	.options = options,
	.option = option,
	.run = run,
};
