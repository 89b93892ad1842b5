/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What an earlier boot or an earlier stage left: a record of any content, with and
 * without the right checksum, what becomes of it, and the file that start leaves to
 * settle.
 */
#include <errno.h>

#include "fuzz.h"
#include "record.h"
#include "state.h"
#include "tree.h"

static bool is_free(const struct record_slot *slot)
{
	return !slot->attempts && !slot->confirmed;
}

/* What is written is read back as it was. */
static void check_again(const struct record_table *table)
{
	struct record_table again;
	uint8_t bytes[RECORD_SIZE];

	record_encode(table, bytes);
	CHECK(record_decode(bytes, sizeof(bytes), &again));
	CHECK(record_equal(table, &again));
}

static void check_change(struct record_table *table, uint64_t fingerprint, uint8_t what)
{
	const struct record_slot before = record_find(table, fingerprint);
	struct record_slot after;

	if (what % 3 == 0)
		record_count(table, fingerprint);
	else if (what % 3 == 1)
		record_confirm(table, fingerprint);
	else
		record_revoke(table, fingerprint);
	after = record_find(table, fingerprint);
	if (what % 3 == 0) {
		CHECK(!after.confirmed && after.attempts > 0);
		CHECK(after.attempts == before.attempts + 1 ||
		      (after.attempts == 255 && before.attempts == 255));
	} else if (what % 3 == 1) {
		CHECK(after.confirmed);
	} else {
		CHECK(!after.confirmed);
		CHECK(before.confirmed ? after.attempts == 1
				       : after.attempts == before.attempts);
	}
	check_again(table);
}

static void check_table(struct record_table *table, const uint8_t *data, size_t size)
{
	uint64_t fingerprint;

	check_again(table);
	for (size_t i = 0; i < size; i++) {
		/* those that it knows, and some that it may not know */
		fingerprint =
			data[i] & 8 ? data[i] : table->slots[data[i] & 3].fingerprint;
		check_change(table, fingerprint, data[i] >> 4);
	}
	for (unsigned i = 0; i < RECORD_SLOTS && size > RECORD_SLOTS; i++)
		for (unsigned k = 0; k < i; k++)
			CHECK(is_free(&table->slots[i]) || is_free(&table->slots[k]) ||
			      record_find(table, table->slots[i].fingerprint).attempts <=
				      255);
}

static void check_record(const uint8_t *data, size_t size)
{
	struct record_table table;
	uint8_t bytes[RECORD_SIZE];
	uint64_t hash;

	/* whatever it is, it is read within its bounds */
	if (record_decode(data, size, &table)) {
		CHECK(size == RECORD_SIZE && !memcmp(data, "VFCR\1\0\0\0", 8));
		check_again(&table);
	}
	if (size < RECORD_SIZE)
		return;
	memcpy(bytes, data, sizeof(bytes));
	memcpy(bytes, "VFCR\1\0\0\0", 8);
	hash = record_hash(RECORD_HASH_START, bytes, RECORD_SIZE - 8);
	for (unsigned i = 0; i < 8; i++)
		bytes[RECORD_SIZE - 8 + i] = (uint8_t)(hash >> (8 * i));
	CHECK(record_decode(bytes, sizeof(bytes), &table));
	check_table(&table, data + RECORD_SIZE, size - RECORD_SIZE);
	bytes[data[0] % RECORD_SIZE] ^= 1 << (data[1] & 7);
	CHECK(!record_decode(bytes, sizeof(bytes), &table));
}

/* Nothing that is shorter than the struct is one. */
static void check_state(const uint8_t *data, size_t size)
{
	static const char line[] = "%" STATE_PATH "\n";
	static struct start_state state;
	char *text = malloc(sizeof(line) + size * 2);
	struct tree *tree;
	size_t len = sizeof(line) - 1;
	int r;

	CHECK(text);
	memcpy(text, line, len);
	for (size_t i = 0; i < size; i++)
		len += (size_t)sprintf(text + len, "%02x", data[i]);
	tree = tree_new((const uint8_t *)text, len);
	r = state_take(&tree->fs, &state);
	CHECK(r == -EPROTO);
	CHECK(state_take(&tree->fs, &state) == -ENOENT);
	tree_free(tree);
	free(text);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	check_record(data, size);
	check_state(data, size);
	return 0;
}
