/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The table and its bytes. What boots make of it is in test_record_machine.c. */
#include "unit.h"

#include "record.h"
#include "str.h"

static const struct record_table some = { {
	{ 0x0123456789abcdef, 1, false },
	{ 0xffffffffffffffff, 0, true },
	{ 1, 255, false },
	{ 0, 0, false },
} };

static void what_is_written_is_read(void **state)
{
	/* by hand: the layout is what older and newer versions meet in */
	static const uint8_t head[] = { 'V',  'F',  'C',  'R',	1,    0,    0,	  0,
					0xef, 0xcd, 0xab, 0x89, 0x67, 0x45, 0x23, 0x01,
					1,    0,    0,	  0,	0,    0,    0,	  0,
					0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff,
					0,    1,    0,	  0,	0,    0,    0,	  0 };
	uint8_t bytes[RECORD_SIZE];
	struct record_table table;

	(void)state;
	record_encode(&some, bytes);
	assert_memory_equal(bytes, head, sizeof(head));
	assert_true(record_decode(bytes, sizeof(bytes), &table));
	assert_true(record_equal(&table, &some));
	table.slots[3].attempts = 1;
	assert_false(record_equal(&table, &some));
}

static void hashes_are_those_of_fnv(void **state)
{
	(void)state;
	assert_true(record_hash(RECORD_HASH_START, "", 0) == 0xcbf29ce484222325u);
	assert_true(record_hash(RECORD_HASH_START, "a", 1) == 0xaf63dc4c8601ec8cu);
	assert_true(record_hash(RECORD_HASH_START, "foobar", 6) == 0x85944171f73967e8u);
	/* one that would be 0 */
	assert_int_not_equal(record_hash(0x61, "a", 1), 0);
}

static void any_bit_flipped(void **state)
{
	struct record_table table;
	uint8_t bytes[RECORD_SIZE];

	(void)state;
	record_encode(&some, bytes);
	for (unsigned bit = 0; bit < RECORD_SIZE * 8; bit++) {
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
		assert_that(!record_decode(bytes, sizeof(bytes), &table),
			    "bit %u makes no difference", bit);
		bytes[bit / 8] ^= (uint8_t)(1 << bit % 8);
	}
	for (unsigned a = 0; a < RECORD_SIZE * 8; a++)
		for (unsigned b = 0; b < a; b++) {
			bytes[a / 8] ^= (uint8_t)(1 << a % 8);
			bytes[b / 8] ^= (uint8_t)(1 << b % 8);
			assert_that(!record_decode(bytes, sizeof(bytes), &table),
				    "bits %u and %u make no difference", a, b);
			bytes[a / 8] ^= (uint8_t)(1 << a % 8);
			bytes[b / 8] ^= (uint8_t)(1 << b % 8);
		}
	assert_true(record_decode(bytes, sizeof(bytes), &table));
}

static void any_other_length(void **state)
{
	uint8_t bytes[RECORD_SIZE + 16] = { 0 };
	struct record_table table;

	(void)state;
	record_encode(&some, bytes);
	for (size_t len = 0; len <= sizeof(bytes); len++) {
		/* of exactly that size, so that a look behind it is seen */
		uint8_t *copy = malloc(len ? len : 1);

		memcpy(copy, bytes, len);
		assert_int_equal(record_decode(copy, len, &table), len == RECORD_SIZE);
		free(copy);
	}
}

static void nothing_and_rubbish(void **state)
{
	struct record_table table;
	uint8_t bytes[RECORD_SIZE];

	(void)state;
	for (unsigned byte = 0; byte < 256; byte++) {
		memset(bytes, (int)byte, sizeof(bytes));
		assert_false(record_decode(bytes, sizeof(bytes), &table));
	}
}

/* Half of a new one over an old one is none, wherever it ends. */
static void two_halves(void **state)
{
	struct record_table table = some;
	uint8_t old[RECORD_SIZE], new[RECORD_SIZE], mixed[RECORD_SIZE];

	(void)state;
	record_encode(&some, old);
	record_count(&table, 0x4711);
	record_encode(&table, new);
	for (size_t cut = 0; cut <= RECORD_SIZE; cut++) {
		memcpy(mixed, old, sizeof(mixed));
		memcpy(mixed, new, cut);
		if (memcmp(mixed, old, sizeof(mixed)) == 0 ||
		    memcmp(mixed, new, sizeof(mixed)) == 0)
			continue;
		assert_that(!record_decode(mixed, sizeof(mixed), &table), "cut at %zu",
			    cut);
	}
}

static void assert_slots(const struct record_table *table, const char *expected)
{
	char text[128];
	struct str s = STR_ON(text);

	for (const struct record_slot *p = table->slots; p < table->slots + RECORD_SLOTS;
	     p++) {
		if (!p->attempts && !p->confirmed) {
			str_add_char(&s, '-');
			continue;
		}
		str_add_char(&s, (char)p->fingerprint);
		if (p->confirmed)
			str_add_char(&s, '!');
		else
			str_add_uint(&s, p->attempts);
	}
	assert_string_equal(text, expected);
}

static void counting(void **state)
{
	struct record_table table = { 0 };

	(void)state;
	assert_slots(&table, "----");
	record_count(&table, 'a');
	record_count(&table, 'b');
	record_count(&table, 'a');
	assert_slots(&table, "a2b1--");
	assert_int_equal(record_find(&table, 'a').attempts, 2);
	assert_int_equal(record_find(&table, 'c').attempts, 0);
	record_confirm(&table, 'b');
	assert_slots(&table, "b!a2--");
	/* it says so already: where it stands is no reason to write */
	record_confirm(&table, 'a');
	record_confirm(&table, 'b');
	assert_slots(&table, "a!b!--");
	record_revoke(&table, 'b');
	assert_slots(&table, "b1a!--");
	/* only what was confirmed can turn out bad */
	record_count(&table, 'b');
	record_revoke(&table, 'b');
	record_revoke(&table, 'x');
	assert_slots(&table, "b2a!--");
	/* a confirmed one that is counted is none any more */
	record_count(&table, 'a');
	assert_slots(&table, "a1b2--");
}

static void a_free_slot_is_no_fingerprint(void **state)
{
	struct record_table table = { 0 };

	(void)state;
	assert_false(record_find(&table, 0).confirmed);
	record_confirm(&table, 0);
	assert_true(record_find(&table, 0).confirmed);
	table.slots[0] = (struct record_slot){ 'a', 0, false };
	assert_int_equal(record_find(&table, 'a').fingerprint, 0);
	record_count(&table, 'a');
	assert_slots(&table, "a1---");
}

static void attempts_do_not_wrap(void **state)
{
	struct record_table table = { 0 };

	(void)state;
	for (unsigned i = 0; i < 600; i++)
		record_count(&table, 'a');
	assert_int_equal(record_find(&table, 'a').attempts, 255);
}

static void who_is_forgotten(void **state)
{
	struct record_table table = { 0 };

	(void)state;
	for (char c = 'a'; c <= 'd'; c++)
		record_count(&table, (uint64_t)c);
	assert_slots(&table, "d1c1b1a1");
	/* the oldest of those that were refused or are on trial */
	record_count(&table, 'e');
	assert_slots(&table, "e1d1c1b1");
	/* a confirmed one before them, however new */
	record_confirm(&table, 'd');
	record_count(&table, 'f');
	assert_slots(&table, "f1e1c1b1");
	/* the oldest of several confirmed ones */
	record_confirm(&table, 'e');
	record_confirm(&table, 'c');
	assert_slots(&table, "c!e!f1b1");
	record_count(&table, 'g');
	assert_slots(&table, "g1c!f1b1");
	/* a free one in the middle, as "confirm --retry" leaves it */
	table.slots[2] = (struct record_slot){ 0 };
	record_count(&table, 'h');
	assert_slots(&table, "h1g1c!b1");
	/* whoever is known moves, and nobody else is touched */
	record_count(&table, 'c');
	assert_slots(&table, "c1h1g1b1");
}

static void partuuids(void **state)
{
	static const struct {
		const char *text, *expected; /* NULL: none */
	} cases[] = {
		{ "12345678-9abc-def0-1234-56789abcdef0",
		  "12345678-9abc-def0-1234-56789abcdef0" },
		{ "12345678-9ABC-DEF0-1234-56789ABCDEF0",
		  "12345678-9abc-def0-1234-56789abcdef0" },
		{ "1234abcd-01", "1234abcd-01" },
		{ "1234ABCD-0F", "1234abcd-0f" },
		{ "", NULL },
		{ "1234abcd-0", NULL },
		{ "1234abcd-012", NULL },
		{ "1234abcg-01", NULL },
		{ "1234abcd 01", NULL },
		{ "../../../x01", NULL },
		{ "12345678-9abc-def0-1234-56789abcdef", NULL },
		{ "12345678-9abc-def0-1234-56789abcdef00", NULL },
		{ "12345678-9abc-def0-1234-56789abcdeg0", NULL },
	};
	char uuid[RECORD_PARTUUID_LEN];
	bool good;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		good = record_partuuid_parse(cases[i].text, uuid);
		assert_that(good == (cases[i].expected != NULL), "'%s'", cases[i].text);
		if (good)
			assert_string_equal(uuid, cases[i].expected);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_is_written_is_read),
		cmocka_unit_test(hashes_are_those_of_fnv),
		cmocka_unit_test(any_bit_flipped),
		cmocka_unit_test(any_other_length),
		cmocka_unit_test(nothing_and_rubbish),
		cmocka_unit_test(two_halves),
		cmocka_unit_test(counting),
		cmocka_unit_test(a_free_slot_is_no_fingerprint),
		cmocka_unit_test(attempts_do_not_wrap),
		cmocka_unit_test(who_is_forgotten),
		cmocka_unit_test(partuuids),
	};

	return UNIT_RUN(tests);
}
