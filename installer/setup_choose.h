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
	const struct pci_list *all; /* the machine that it was chosen from */
};

/*
 * Words are addresses: that of a display takes its whole card, unless `only`; any other
 * function is taken alone. Returns 0; -EINVAL with `why` if a word is no address or
 * nothing sits there; or -ENOMEM. On success the caller calls setup_choice_finish().
 */
int setup_choose_words(struct fs *root, const struct cards *cards, char *const *words,
		       int n, bool only, struct setup_choice *ret, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* Asks on the terminal. -ECANCELED if the answer is none. */
int setup_choose_asking(const struct cards *cards, struct setup_choice *ret,
			struct str *why) __attribute__((nonnull, warn_unused_result));

void setup_choice_finish(struct setup_choice *choice) __attribute__((nonnull));
