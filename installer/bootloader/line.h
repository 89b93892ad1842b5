/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Words within a text, where each character may have been written in another way ("\$" in
 * double quotes): found, and taken out with what separates them.
 */
#pragma once

#include "args.h"

enum {
	GLYPH_NAME = -1, /* a variable's value: its name is in the text */
	GLYPH_BLIND = -2, /* something we cannot know, as a command's output */
};

struct glyph {
	int c; /* the byte, or one of the above */
	size_t from, to; /* where it is written */
};

struct glyphs {
	struct glyph *g;
	size_t n;
};

int glyphs_add(struct glyphs *glyphs, int c, size_t from, size_t to)
	__attribute__((nonnull, warn_unused_result));
void glyphs_finish(struct glyphs *glyphs) __attribute__((nonnull));

/*
 * The first word that is one of `remove`: the part of the text that goes with it. A
 * separator before it goes, or behind it at the beginning. 1, 0 if there is none, -EINVAL
 * if the word is not written in one piece, or -ENOMEM.
 */
int glyphs_find(const struct glyphs *glyphs, const struct args *remove, size_t *ret_from,
		size_t *ret_to) __attribute__((nonnull, warn_unused_result));

/*
 * Plain text: takes the words out of text[from, to) and puts those that are missing at
 * its end. Replaces *text and moves *to. Appends what it added to `ret_added`. Returns 0
 * or a negative errno: -EINVAL where "--" ends the kernel's own words.
 */
int line_edit(char **text, size_t from, size_t *to, const struct args *add,
	      const struct args *remove, struct args *ret_added)
	__attribute__((nonnull, warn_unused_result));

/* The words of text[from, to). */
int line_words(const char *text, size_t from, size_t to, struct args *ret)
	__attribute__((nonnull, warn_unused_result));
