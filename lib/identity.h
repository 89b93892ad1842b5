/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a claim's function is recognised by, and how it is found again.
 */
#pragma once

#include "pci.h"

struct identity {
	struct pci_path path;
	struct pci_ids ids;
	bool has_serial;
	uint64_t serial;
	/* no twin was in the machine at set-up; says nothing of what is optional */
	bool unique;
};

enum match {
	MATCH_ABSENT, /* not here, or nothing proves that what is here is it */
	MATCH_EXACT, /* sits at its path; bus numbers may differ */
	MATCH_MOVED, /* sits elsewhere, and is it without a doubt */
	MATCH_CHANGED, /* something else sits at its path */
	MATCH_AMBIGUOUS, /* more than one could be it */
};

struct identity_result {
	enum match match;
	struct pci_function function; /* zeroed where nothing was found */
	struct pci_config config;
	/* nothing sits at its path, and what is elsewhere is not taken for it */
	bool nothing_there;
	char detail[160]; /* in words, unless exact */
};

const char *match_name(enum match match) __attribute__((returns_nonnull));

/*
 * Looks for `id` among `list`; `hint` is where it once sat. Whatever cannot be read
 * counts against a match.
 */
void identity_find(struct fs *fs, const struct pci_list *list, const struct identity *id,
		   struct pci_address hint, struct identity_result *ret)
	__attribute__((nonnull));

void identity_add_ids(struct str *s, const struct pci_ids *ids) __attribute__((nonnull));
