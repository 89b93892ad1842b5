/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "line.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "text.h"

int glyphs_add(struct glyphs *glyphs, int c, size_t from, size_t to)
{
	struct glyph *g = glyphs->g;

	/* by doubling */
	if ((glyphs->n & (glyphs->n - 1)) == 0)
		g = reallocarray(g, glyphs->n ? glyphs->n * 2 : 1, sizeof(*g));
	if (!g)
		return -ENOMEM;
	glyphs->g = g;
	g[glyphs->n++] = (struct glyph){ c, from, to };
	return 0;
}

void glyphs_finish(struct glyphs *glyphs)
{
	free(glyphs->g);
	*glyphs = (struct glyphs){ 0 };
}

static bool is_space(const struct glyph *g)
{
	return g->c >= 0 && args_space((char)g->c);
}

static bool in_one_piece(const struct glyphs *glyphs, size_t from, size_t to)
{
	for (size_t i = from + 1; i < to; i++)
		if (glyphs->g[i].from != glyphs->g[i - 1].to)
			return false;
	return true;
}

/* The end of the word at `at`; `text` gets it, or "" if a part of it is not known. */
static size_t take_word(const struct glyphs *glyphs, size_t at, char *text)
{
	bool quoted = false, blind = false;
	char *out = text;

	for (; at < glyphs->n && (quoted || !is_space(&glyphs->g[at])); at++) {
		blind = blind || glyphs->g[at].c < 0;
		if (glyphs->g[at].c == '"')
			quoted = !quoted;
		*out++ = (char)glyphs->g[at].c;
	}
	*out = '\0';
	if (blind)
		text[0] = '\0';
	return at;
}

int glyphs_find(const struct glyphs *glyphs, const struct args *remove, size_t *ret_from,
		size_t *ret_to)
{
	TEXT_OWNED char *word = malloc(glyphs->n + 1);
	size_t at = 0, from, to;

	if (!word)
		return -ENOMEM;
	for (;; at = to) {
		while (at < glyphs->n && is_space(&glyphs->g[at]))
			at++;
		if (at == glyphs->n)
			return 0;
		from = at;
		to = take_word(glyphs, at, word);
		if (word[0] && args_has(remove, word))
			break;
	}
	if (!in_one_piece(glyphs, from, to))
		return -EINVAL;
	/* where neither is written next to it, both stay */
	if (from > 0 && in_one_piece(glyphs, from - 1, to))
		from--;
	else if (to < glyphs->n && in_one_piece(glyphs, from, to + 1))
		to++;
	*ret_from = glyphs->g[from].from;
	*ret_to = glyphs->g[to - 1].to;
	return 1;
}

static int find_plain(const char *text, size_t from, size_t to, const struct args *remove,
		      size_t *ret_from, size_t *ret_to)
{
	struct glyphs glyphs = { 0 };
	int r = 0;

	for (size_t i = from; i < to && r == 0; i++)
		r = glyphs_add(&glyphs, (unsigned char)text[i], i, i + 1);
	if (r == 0)
		r = glyphs_find(&glyphs, remove, ret_from, ret_to);
	glyphs_finish(&glyphs);
	return r;
}

int line_words(const char *text, size_t from, size_t to, struct args *ret)
{
	TEXT_OWNED char *part = strndup(text + from, to - from);

	return part ? args_parse(ret, part) : -ENOMEM;
}

static int append(char **text, size_t from, size_t *to, const char *word)
{
	char *all, *with;

	if (asprintf(&with, "%s%s", *to > from ? " " : "", word) < 0)
		return -ENOMEM;
	all = text_splice(*text, *to, *to, with);
	if (all) {
		*to += strlen(with);
		free(*text);
		*text = all;
	}
	free(with);
	return all ? 0 : -ENOMEM;
}

int line_edit(char **text, size_t from, size_t *to, const struct args *add,
	      const struct args *remove, struct args *ret_added)
{
	ARGS_OWNED struct args words = { 0 };
	const struct args end = { (char *[]){ (char[]){ "--" } }, 1 };
	size_t begin, stop;
	char *all;
	int r;

	while ((r = find_plain(*text, from, *to, remove, &begin, &stop)) == 1) {
		all = text_splice(*text, begin, stop, "");
		if (!all)
			return -ENOMEM;
		free(*text);
		*text = all;
		*to -= stop - begin;
	}
	if (r == 0)
		r = line_words(*text, from, *to, &words);
	for (size_t i = 0; i < add->n && r == 0; i++) {
		if (args_has(&words, add->words[i]))
			continue;
		/* what follows it goes to init */
		if (args_has(&words, end.words[0]))
			return -EINVAL;
		r = append(text, from, to, add->words[i]);
		if (r == 0)
			r = args_add_n(ret_added, add->words[i], strlen(add->words[i]));
	}
	return r;
}
