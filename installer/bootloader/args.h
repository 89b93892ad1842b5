/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Kernel arguments as an ordered list of words, each with the quotes that it needs to be
 * one word to the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>

struct args {
	char **words; /* owned */
	size_t n;
};

void args_finish(struct args *args) __attribute__((nonnull));

/* Appends a copy. Returns 0, -EINVAL if that is not exactly one word, or -ENOMEM. */
int args_add(struct args *args, const char *word)
	__attribute__((nonnull, warn_unused_result));

/* Appends every word of a command line, split as the kernel does. 0 or -ENOMEM. */
int args_parse(struct args *args, const char *text)
	__attribute__((nonnull, warn_unused_result));

/* Exactly this word, with - and _ in its key being the same, as to the kernel. */
bool args_has(const struct args *args, const char *word) __attribute__((nonnull));

/* One word: as args_has() compares. */
bool args_same(const char *a, const char *b) __attribute__((nonnull));

bool args_has_all(const struct args *args, const struct args *words)
	__attribute__((nonnull));

/* The same words in the same order, byte for byte. */
bool args_equal(const struct args *a, const struct args *b) __attribute__((nonnull));

/* Appends what is not there yet. 0 or -ENOMEM. */
int args_copy(struct args *args, const struct args *from)
	__attribute__((nonnull, warn_unused_result));

/* Appends those of `all` that are not in `without`, duplicates kept. 0 or -ENOMEM. */
int args_without(struct args *args, const struct args *all, const struct args *without)
	__attribute__((nonnull, warn_unused_result));

/* With spaces between them; the caller frees it. NULL if there is no memory. */
char *args_join(const struct args *args) __attribute__((nonnull, warn_unused_result));

/* Any word, unchecked. 0 or -ENOMEM. */
int args_add_n(struct args *args, const char *word, size_t len)
	__attribute__((nonnull, warn_unused_result));

/* What the kernel separates words by. */
bool args_space(char c);

#define ARGS_OWNED __attribute__((cleanup(args_finish)))
