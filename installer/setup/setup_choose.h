/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which functions a claim is to take: from words of the command line, or by asking.
 */
#pragma once

#include "card.h"
#include "conf.h"

struct setup_choice {
	char name[CONF_NAME_LEN]; /* of the claim */
	struct card_function *functions; /* owned; sorted by address */
	size_t n;
	bool existing; /* the configuration has the claim and stays as it is */
};

/*
 * Words are addresses: that of a display takes its whole card, unless `only`; any other
 * function is taken alone. Returns 0; -EINVAL with `why` if a word is no address or
 * nothing sits there; or -ENOMEM. On success the caller calls setup_choice_finish().
 */
int setup_choose_words(struct fs *root, const struct cards *cards, char *const *words,
		       int n, bool only, struct setup_choice *ret, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * A claim that /etc/vfio-claim.conf has, with its functions where they are now; those
 * that are not found are left out. Returns 0; -ENOENT without `why` if there is no such
 * claim; or another negative errno with `why`.
 */
int setup_choose_claim(struct fs *root, const struct cards *cards, const char *name,
		       struct setup_choice *ret, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* Whether a word is an address, with or without its domain. */
bool setup_choose_is_address(const char *word, struct pci_address *ret)
	__attribute__((nonnull));

/* Asks on the terminal. -ECANCELED if the answer is none. */
int setup_choose_asking(const struct cards *cards, struct setup_choice *ret,
			struct str *why) __attribute__((nonnull, warn_unused_result));

void setup_choice_finish(struct setup_choice *choice) __attribute__((nonnull));
