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
