/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is known of earlier boots. Each is known by its fingerprint: a hash of kernel,
 * configuration, displays and claimed functions. Pure: lib/store.h keeps it.
 *
 * A boot whose fingerprint is confirmed is claimed and changes nothing. Any other is
 * counted before anything is bound, and refused once max-attempts were counted. A few
 * fingerprints are remembered rather than one, so that two that alternate (a boot loader
 * that falls back to the old kernel, a card that comes and goes) do not reset each
 * other's count.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define RECORD_SIZE 80 /* bytes, whatever it holds */
#define RECORD_SLOTS 4
#define RECORD_PARTUUID_LEN 37 /* terminator included */

enum record_kind {
	RECORD_NONE,
	RECORD_EFI,
	RECORD_PARTITION,
};

struct record_slot {
	uint64_t fingerprint;
	uint8_t attempts; /* boots that were claimed and not confirmed */
	bool confirmed;
};

/* The last that was written comes first; a slot without attempts and word is free. */
struct record_table {
	struct record_slot slots[RECORD_SLOTS];
};

/* What a boot makes of it. */
struct record {
	enum record_kind kind; /* NONE: no boot can be counted */
	unsigned attempts; /* this boot included, once it is counted */
	bool confirmed;
	uint64_t fingerprint; /* 0: nothing was to be claimed */
	char partuuid[RECORD_PARTUUID_LEN]; /* of a PARTITION record, lower case */
};

/* FNV-1a, 64 bits. Start with RECORD_HASH_START; the result is never 0. */
#define RECORD_HASH_START 0xcbf29ce484222325u
uint64_t record_hash(uint64_t hash, const void *data, size_t len)
	__attribute__((nonnull));

/* False unless it is whole: half a record, or another version's, is none. */
bool record_decode(const uint8_t *data, size_t len, struct record_table *ret)
	__attribute__((nonnull, warn_unused_result));
void record_encode(const struct record_table *table, uint8_t ret[static RECORD_SIZE])
	__attribute__((nonnull));

bool record_equal(const struct record_table *a, const struct record_table *b)
	__attribute__((nonnull));

/* All zero if this fingerprint is not known. */
struct record_slot record_find(const struct record_table *table, uint64_t fingerprint)
	__attribute__((nonnull));

/*
 * Makes this the first slot. Where none is free, the oldest confirmed one is forgotten:
 * that costs a trial. Only where all were refused or are on trial the oldest of those is.
 */
void record_put(struct record_table *table, struct record_slot slot)
	__attribute__((nonnull));

/* One more boot that is claimed and not confirmed. */
void record_count(struct record_table *table, uint64_t fingerprint)
	__attribute__((nonnull));
void record_confirm(struct record_table *table, uint64_t fingerprint)
	__attribute__((nonnull));
/* A confirmed one turned out bad: this boot counts as its first attempt. */
void record_revoke(struct record_table *table, uint64_t fingerprint)
	__attribute__((nonnull));

/* Copies a PARTUUID in lower case. False if it is none. */
bool record_partuuid_parse(const char *text, char ret[static RECORD_PARTUUID_LEN])
	__attribute__((nonnull, warn_unused_result));
