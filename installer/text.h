/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Texts for people: translated by gettext, coloured on a terminal only; and on the heap.
 */
#pragma once

#include <libintl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>

#define _(text) gettext(text)
/* for tables: translated where it is printed */
#define N_(text) text

enum text_style {
	TEXT_PLAIN,
	TEXT_BOLD,
	TEXT_DIM,
	TEXT_GOOD, /* green */
	TEXT_WARNING, /* yellow */
	TEXT_BAD, /* red */
	TEXT_COUNT,
};

/* Whether a stream wants colour: a terminal, TERM not dumb, NO_COLOR not set or empty. */
bool text_colour(FILE *stream) __attribute__((nonnull));

/* printf() in a style; plain unless `colour`. */
void text_print(FILE *stream, bool colour, enum text_style style, const char *format, ...)
	__attribute__((nonnull(1, 4), format(printf, 4, 5)));

/*
 * A copy in which every control character, and every byte that is no valid UTF-8, is '?'.
 * For what others wrote: names of the PCI database, firmware, processes.
 */
void text_clean(char *dst, size_t size, const char *src) __attribute__((nonnull));

/* Field `n`, from 0, of a line with colons, as in /etc/passwd; empty if there is none. */
void text_field(const char *line, unsigned n, char *ret, size_t size)
	__attribute__((nonnull));

static inline void text_free(char **text)
{
	free(*text);
}
#define TEXT_OWNED __attribute__((cleanup(text_free)))

/* `text` with [from, to) replaced. NULL: no memory. */
char *text_splice(const char *text, size_t from, size_t to, const char *with)
	__attribute__((nonnull, warn_unused_result));
