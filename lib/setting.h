/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What is to be set before functions are bound, as the configuration says it, for a claim
 * or for one function: the words only. lib/tune.h does it.
 */
#pragma once

#include "str.h"

#define SETTING_RESET_LEN \
	56 /* all reset methods of Linux, with blanks, and a terminator */

enum setting_key {
	SETTING_REBAR,
	SETTING_RESET,
	SETTING_IDLE,
	SETTING_VGA,
	SETTING_KEYS,
};

enum setting_idle { SETTING_IDLE_ON, SETTING_IDLE_D3HOT, SETTING_IDLE_D3COLD };

struct setting {
	uint8_t keys; /* a bit for each that is said; the others are left untouched */
	uint8_t bar, size; /* BAR 0 to 5 is to have 2^size MiB */
	uint8_t idle; /* enum setting_idle */
	bool vga;
	char reset[SETTING_RESET_LEN]; /* as reset_method takes it: "flr bus" */
};

/* "rebar", "reset", "idle", "vga" */
const char *setting_name(enum setting_key key) __attribute__((returns_nonnull));

static inline bool setting_says(const struct setting *s, enum setting_key key)
{
	return s->keys >> key & 1;
}

/*
 * Takes one key. Returns 0; -ENOENT if it is no key of these; -EEXIST if it has a value
 * already; -EINVAL with what was expected, static.
 */
int setting_parse(struct setting *s, const char *key, const char *value,
		  const char **ret_expected) __attribute__((nonnull, warn_unused_result));

/*
 * What holds for a function of a claim: its own word, else the claim's. A claim's rebar
 * is for its displays.
 */
struct setting setting_merge(const struct setting *claim, const struct setting *function,
			     bool display) __attribute__((nonnull));

/* The value of a key that is said, as it is parsed. */
void setting_add(struct str *s, const struct setting *setting, enum setting_key key)
	__attribute__((nonnull));

/* 2^size MiB: "256M", "16G". */
void setting_add_size(struct str *s, unsigned size) __attribute__((nonnull));
