/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The words of a program's command line: arrays on the heap, ended by NULL.
 */
#pragma once

#include <stdbool.h>

/* NULL: no memory. */
char **words_copy(char *const *words) __attribute__((nonnull, warn_unused_result));

/* Two NULLs are equal. */
bool words_equal(char *const *a, char *const *b);

/* Accepts NULL. */
void words_free(char **words);
