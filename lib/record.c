/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "record.h"

#include <string.h>

/*
 * Layout, little endian: "VFCR", version, 3 zero bytes; 4 slots of fingerprint (8),
 * attempts (1), confirmed (1), 6 zero bytes; the hash of all that (8).
 */
#define MAGIC "VFCR\1\0\0\0"
#define SLOT_SIZE 16
#define HASH_AT (RECORD_SIZE - 8)

_Static_assert(8 + RECORD_SLOTS * SLOT_SIZE == HASH_AT, "layout");

uint64_t record_hash(uint64_t hash, const void *data, size_t len)
{
	const uint8_t *byte = data;

	while (len--)
		hash = (hash ^ *byte++) * 0x100000001b3u;
	return hash ? hash : 1;
}

static uint64_t get64(const uint8_t *p)
{
	uint64_t v = 0;

	for (int i = 7; i >= 0; i--)
		v = v << 8 | p[i];
	return v;
}

static void put64(uint8_t *p, uint64_t v)
{
	for (int i = 0; i < 8; i++, v >>= 8)
		p[i] = (uint8_t)v;
}

static bool slot_free(const struct record_slot *slot)
{
	return !slot->attempts && !slot->confirmed;
}

bool record_decode(const uint8_t *data, size_t len, struct record_table *ret)
{
	const uint8_t *p = data + 8;

	if (len != RECORD_SIZE || memcmp(data, MAGIC, 8) != 0 ||
	    get64(data + HASH_AT) != record_hash(RECORD_HASH_START, data, HASH_AT))
		return false;
	for (struct record_slot *s = ret->slots; s < ret->slots + RECORD_SLOTS;
	     s++, p += SLOT_SIZE)
		*s = (struct record_slot){ get64(p), p[8], p[9] != 0 };
	return true;
}

void record_encode(const struct record_table *table, uint8_t ret[static RECORD_SIZE])
{
	uint8_t *p = ret + 8;

	memset(ret, 0, RECORD_SIZE);
	memcpy(ret, MAGIC, 8);
	for (const struct record_slot *s = table->slots; s < table->slots + RECORD_SLOTS;
	     s++, p += SLOT_SIZE) {
		put64(p, s->fingerprint);
		p[8] = s->attempts;
		p[9] = s->confirmed;
	}
	put64(ret + HASH_AT, record_hash(RECORD_HASH_START, ret, HASH_AT));
}

bool record_equal(const struct record_table *a, const struct record_table *b)
{
	uint8_t one[RECORD_SIZE], other[RECORD_SIZE];

	record_encode(a, one);
	record_encode(b, other);
	return memcmp(one, other, sizeof(one)) == 0;
}

static unsigned index_of(const struct record_table *table, uint64_t fingerprint)
{
	unsigned i;

	for (i = 0; i < RECORD_SLOTS; i++)
		if (table->slots[i].fingerprint == fingerprint &&
		    !slot_free(&table->slots[i]))
			break;
	return i;
}

struct record_slot record_find(const struct record_table *table, uint64_t fingerprint)
{
	unsigned i = index_of(table, fingerprint);

	return i < RECORD_SLOTS ? table->slots[i] : (struct record_slot){ 0 };
}

static unsigned least_missed(const struct record_table *table)
{
	for (unsigned i = RECORD_SLOTS; i-- > 0;)
		if (slot_free(&table->slots[i]))
			return i;
	for (unsigned i = RECORD_SLOTS; i-- > 0;)
		if (table->slots[i].confirmed)
			return i;
	return RECORD_SLOTS - 1;
}

void record_put(struct record_table *table, struct record_slot slot)
{
	unsigned i = index_of(table, slot.fingerprint);

	if (i == RECORD_SLOTS)
		i = least_missed(table);
	memmove(table->slots + 1, table->slots, i * sizeof(*table->slots));
	table->slots[0] = slot;
}

void record_count(struct record_table *table, uint64_t fingerprint)
{
	struct record_slot slot = record_find(table, fingerprint);

	slot.fingerprint = fingerprint;
	slot.confirmed = false;
	if (slot.attempts < UINT8_MAX)
		slot.attempts++;
	record_put(table, slot);
}

void record_confirm(struct record_table *table, uint64_t fingerprint)
{
	if (!record_find(table, fingerprint).confirmed)
		record_put(table, (struct record_slot){ fingerprint, 0, true });
}

void record_revoke(struct record_table *table, uint64_t fingerprint)
{
	if (record_find(table, fingerprint).confirmed)
		record_put(table, (struct record_slot){ fingerprint, 1, false });
}

bool record_partuuid_parse(const char *text, char ret[static RECORD_PARTUUID_LEN])
{
	const size_t len = strlen(text);

	/* 8 hex digits, dash, 2 on an MBR; the five groups of a UUID on a GPT */
	if ((len != 11 && len != 36) || strspn(text, "0123456789abcdefABCDEF-") != len)
		return false;
	for (size_t i = 0; i <= len; i++)
		ret[i] = (char)(text[i] >= 'A' && text[i] <= 'F' ? text[i] | 0x20
								 : text[i]);
	return true;
}
