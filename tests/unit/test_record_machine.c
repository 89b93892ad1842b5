/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every state that a record can get into, and every way on from there: boots with each of
 * a few fingerprints, confirmed, revoked, tried again, and with the power cut at every
 * access of all that; the store healthy, read-only, full, unreadable, gone or damaged.
 * What must hold: no fingerprint is claimed more than max-attempts times in a row without
 * a confirmation, whatever the record says by then.
 *
 * The claim takes the last display; one that leaves another may go uncounted where
 * nothing can be written, and only there.
 *
 * A boot that is not confirmed counts from the moment at which one function was on
 * vfio-pci, however it ended. "In a row" is strict: boots with other fingerprints in
 * between do not matter, as long as no more than RECORD_SLOTS fingerprints take turns.
 * With more of them the bound holds for one until RECORD_SLOTS others were counted or
 * confirmed since it was last.
 *
 * What is not in it: a store that somebody empties (an empty one says "first boot", and
 * has to), and a store that goes back in time.
 */
#include "unit.h"

#include <inttypes.h>

#include "boots.h"

/* A boot that ends in the middle frees nothing. */
const char *__asan_default_options(void);
const char *__asan_default_options(void)
{
	return "detect_leaks=0";
}

/* Where the machine is, and what is true of it, which the record may know or not. */
struct node {
	unsigned content;
	/* of each fingerprint: */
	uint8_t claims[BOOTS_FINGERPRINTS]; /* in a row, unconfirmed */
	bool confirmed[BOOTS_FINGERPRINTS];
	/* those that were put into the record last, the last first, up to the first 0 */
	uint8_t order[BOOTS_FINGERPRINTS]; /* plus 1 */
	uint8_t up; /* plus 1: what is running and claimed; 0: off, or in safe mode */
};

struct game {
	struct boots boots;
	unsigned fingerprints;
	struct node *nodes; /* in the order of their discovery */
	size_t n, capacity;
	uint32_t *table; /* hashed; index into nodes plus 1 */
	size_t table_size;
	unsigned most; /* claims in a row that were seen */
};

static size_t cell_of(const struct game *g, const struct node *node)
{
	size_t cell = record_hash(RECORD_HASH_START, node, sizeof(*node)) % g->table_size;

	while (g->table[cell] &&
	       memcmp(&g->nodes[g->table[cell] - 1], node, sizeof(*node)) != 0)
		cell = (cell + 1) % g->table_size;
	return cell;
}

static void grow(struct game *g)
{
	g->capacity = g->capacity ? g->capacity * 2 : 1024;
	g->nodes = realloc(g->nodes, g->capacity * sizeof(*g->nodes));
	free(g->table);
	g->table_size = g->capacity * 2 + 1;
	g->table = calloc(g->table_size, sizeof(*g->table));
	assert_true(g->nodes && g->table);
	for (size_t i = 0; i < g->n; i++)
		g->table[cell_of(g, &g->nodes[i])] = (uint32_t)i + 1;
}

static void reach(struct game *g, const struct node *node)
{
	size_t cell;

	if (g->n == g->capacity)
		grow(g);
	cell = cell_of(g, node);
	if (g->table[cell])
		return;
	g->nodes[g->n] = *node;
	g->table[cell] = (uint32_t)++g->n;
}

/* This fingerprint was put into the record. */
static void put(struct node *node, unsigned fingerprint)
{
	unsigned i = 0;

	while (i < BOOTS_FINGERPRINTS - 1 && node->order[i] &&
	       node->order[i] != fingerprint + 1)
		i++;
	memmove(node->order + 1, node->order, i);
	node->order[0] = (uint8_t)(fingerprint + 1);
	/* more than the record has room for: the oldest may be forgotten */
	if (node->order[RECORD_SLOTS]) {
		node->claims[node->order[RECORD_SLOTS] - 1] = 0;
		node->order[RECORD_SLOTS] = 0;
	}
}

static void after_boot(struct game *g, const struct node *from, unsigned fingerprint,
		       enum boots_store store, const struct boots_end *end)
{
	const bool known = boots_slot(&g->boots, from->content, fingerprint).confirmed;
	struct node to = *from;

	to.content = end->content;
	to.up = end->up ? (uint8_t)(fingerprint + 1) : 0;
	if (end->content != from->content && end->content != CONTENT_DAMAGED)
		put(&to, fingerprint);
	assert_that(!known || from->confirmed[fingerprint],
		    "the record says confirmed, and nobody did");
	if (end->bound && !known && !boots_uncounted(&g->boots, store)) {
		to.confirmed[fingerprint] = false;
		to.claims[fingerprint]++;
	}
	if (to.claims[fingerprint] > g->most)
		g->most = to.claims[fingerprint];
	assert_that(to.claims[fingerprint] <= g->boots.max_attempts,
		    "%u claims in a row, of at most %u", to.claims[fingerprint],
		    g->boots.max_attempts);
	reach(g, &to);
}

static void boots(struct game *g, const struct node *from)
{
	for (unsigned fp = 0; fp < g->fingerprints; fp++)
		for (enum boots_store store = 0; store < STORE_KINDS; store++) {
			struct boots_ends ends =
				boots_of(&g->boots, from->content, fp, store);

			for (unsigned i = 0; i < ends.n; i++)
				after_boot(g, from, fp, store, &ends.ends[i]);
		}
}

/* A change took place if the record shows it. */
static void after_change(struct game *g, const struct node *from, unsigned fingerprint,
			 enum boots_change change, unsigned content)
{
	struct node to = *from;

	to.content = content;
	if (content != from->content && content != CONTENT_DAMAGED) {
		to.confirmed[fingerprint] = change == CHANGE_CONFIRM;
		to.claims[fingerprint] = change == CHANGE_REVOKE;
		put(&to, fingerprint);
	}
	reach(g, &to);
}

static void after_retry(struct game *g, const struct node *from, unsigned content)
{
	struct node to = *from;

	to.content = content;
	if (content != from->content && content != CONTENT_DAMAGED)
		memset(to.claims, 0, sizeof(to.claims));
	reach(g, &to);
}

static void changes(struct game *g, const struct node *from)
{
	const unsigned up = from->up ? from->up - 1U : 0;
	struct boots_ends ends;

	for (enum boots_change change = 0; change < CHANGES; change++) {
		/* the owner may always try again; the rest is of what is claimed now */
		if (change != CHANGE_RETRY && !from->up)
			continue;
		ends = boots_changes(&g->boots, from->content, up, change);
		for (unsigned i = 0; i < ends.n; i++)
			if (change == CHANGE_RETRY)
				after_retry(g, from, ends.ends[i].content);
			else
				after_change(g, from, up, change, ends.ends[i].content);
	}
}

static void damage(struct game *g, const struct node *from)
{
	struct node to = *from;

	to.content = CONTENT_DAMAGED;
	reach(g, &to);
}

enum how { DARK, DISPLAY_LEFT, COUNTING };

static void play(enum record_kind kind, unsigned fingerprints, unsigned max_attempts,
		 enum how how)
{
	static const struct node start;
	struct game g = { .fingerprints = fingerprints };

	boots_init(&g.boots, kind, max_attempts, how == COUNTING, how == DISPLAY_LEFT);
	reach(&g, &start);
	for (size_t i = 0; i < g.n; i++) {
		const struct node from = g.nodes[i];

		boots(&g, &from);
		changes(&g, &from);
		damage(&g, &from);
	}
	print_message("# %s, %u fingerprints, max-attempts %u: %zu states, %u records, "
		      "%lu %s\n",
		      kind == RECORD_EFI ? "EFI variable" : "partition", fingerprints,
		      max_attempts, g.n, g.boots.n_contents, g.boots.runs,
		      how == COUNTING ? "countings" : "boots and changes");
	/* it can be reached, too */
	assert_int_equal(g.most, max_attempts);
	boots_finish(&g.boots);
	free(g.nodes);
	free(g.table);
}

static void an_efi_variable(void **state)
{
	(void)state;
	for (unsigned fingerprints = 1; fingerprints <= 3; fingerprints++)
		for (unsigned max = 1; max <= 3; max++)
			play(RECORD_EFI, fingerprints, max, DARK);
}

static void a_partition(void **state)
{
	(void)state;
	for (unsigned fingerprints = 1; fingerprints <= 3; fingerprints++)
		for (unsigned max = 1; max <= 3; max++)
			play(RECORD_PARTITION, fingerprints, max, DARK);
}

/* What cannot be counted may go on, and a good record never refused it. */
static void with_another_display(void **state)
{
	(void)state;
	play(RECORD_EFI, 2, 2, DISPLAY_LEFT);
	play(RECORD_PARTITION, 2, 2, DISPLAY_LEFT);
}

/* More fingerprints than whole boots have time for: the counting alone. */
static void as_many_fingerprints_as_slots(void **state)
{
	(void)state;
	play(RECORD_EFI, RECORD_SLOTS, 2, COUNTING);
}

static void more_fingerprints_than_slots(void **state)
{
	(void)state;
	play(RECORD_EFI, RECORD_SLOTS + 1, 1, COUNTING);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(an_efi_variable),
		cmocka_unit_test(a_partition),
		cmocka_unit_test(with_another_display),
		cmocka_unit_test(as_many_fingerprints_as_slots),
		cmocka_unit_test(more_fingerprints_than_slots),
	};

	return UNIT_RUN(tests);
}
