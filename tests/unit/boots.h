/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boots one after the other, of which nothing survives but the record: what each makes of
 * it, with the power cut anywhere.
 */
#pragma once

#include "scene.h"

#define BOOTS_FINGERPRINTS 6
#define BOOTS_MAX_CONTENTS 65536

/* How the store is during a boot. */
enum boots_store {
	STORE_GOOD,
	STORE_READ_ONLY,
	STORE_FULL,
	STORE_BROKEN, /* reads fail */
	STORE_STUCK, /* cannot be mounted */
	STORE_GONE, /* no EFI variables, or no such partition */
	STORE_KINDS
};

enum boots_change { CHANGE_CONFIRM, CHANGE_REVOKE, CHANGE_RETRY, CHANGES };

/* A record as it lies in the store. All that are no whole record are one. */
struct boots_content {
	struct fake_file file;
	bool whole;
	struct record_table table; /* if it is */
};

#define CONTENT_NONE 0U /* there is no record yet */
#define CONTENT_DAMAGED 1U

/* What can become of a content. */
struct boots_end {
	unsigned content;
	bool bound; /* something was on vfio-pci, if only for a moment */
	bool up; /* the power stayed on, and what was to be claimed is */
};

struct boots_ends {
	unsigned n;
	struct boots_end *ends; /* NULL: not tried yet */
};

struct boots {
	enum record_kind kind;
	unsigned max_attempts;
	/*
	 * Not start_run() and settle_run(), but count_in() on the same store, and what
	 * they do with its answer: for more states than whole boots have time for.
	 */
	bool model;
	bool display_left; /* the claim leaves the host a display */

	struct scene *scene, *before;
	uint64_t hashes[BOOTS_FINGERPRINTS];
	struct boots_content *contents;
	unsigned n_contents;
	uint32_t *index; /* of contents that are whole, by their checksum */
	struct boots_ends *memory; /* by content, fingerprint and store */
	struct boots_ends *changes; /* by content, fingerprint and change */
	unsigned long runs;
};

void boots_init(struct boots *b, enum record_kind kind, unsigned max_attempts, bool model,
		bool display_left);
void boots_finish(struct boots *b);

/* Every way in which a boot can end; the array belongs to *b. */
struct boots_ends boots_of(struct boots *b, unsigned content, unsigned fingerprint,
			   enum boots_store store);
/* The same for a change that the running system makes. */
struct boots_ends boots_changes(struct boots *b, unsigned content, unsigned fingerprint,
				enum boots_change change);

/*
 * True if an unconfirmed boot may be claimed without being counted, with a warning: the
 * host keeps a display, and nothing can be written, or `auto` finds no store.
 */
bool boots_uncounted(const struct boots *b, enum boots_store store);

/* What a content says of a fingerprint; zero if it is not whole. */
struct record_slot boots_slot(struct boots *b, unsigned content, unsigned fingerprint);
