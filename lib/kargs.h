/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel arguments: split as the kernel does (lib/cmdline.c, next_arg()), and what they
 * ask of us.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

#define KARGS_WORD_MAX 2400 /* 64 claim names fit */

/*
 * The next word of *p without its quotes; moves *p behind it. False at the end. `ret_cut`
 * tells that the word did not fit.
 */
bool kargs_next(const char **p, char *word, size_t size, bool *ret_cut)
	__attribute__((nonnull, warn_unused_result));

/*
 * The value of a word KEY=VALUE, "" for a bare KEY, NULL for another key. As to the
 * kernel (parameq()), - and _ are the same; `key` is written with _.
 */
const char *kargs_value(const char *word, const char *key) __attribute__((nonnull));

enum kargs_mode {
	KARGS_ON,
	KARGS_OFF,
	KARGS_DRY_RUN,
	KARGS_BAD, /* vfio_claim= says nothing that we know; nothing is to be claimed */
};

struct kargs_choice {
	enum kargs_mode mode;
	char names[KARGS_WORD_MAX]; /* comma list of claims; empty: all */
	char detail[96]; /* which word decided, for OFF and BAD */
};

/*
 * The last vfio_claim= counts, but one `off` anywhere, or a word that asks for a rescue
 * system, wins.
 */
void kargs_choose(const char *cmdline, struct kargs_choice *ret) __attribute__((nonnull));

/* True if `names` is empty or lists `name`. */
bool kargs_names(const struct kargs_choice *choice, const char *name)
	__attribute__((nonnull));

/* Words of vfio_claim= that cannot name a claim. */
bool kargs_reserved(const char *word) __attribute__((nonnull));
