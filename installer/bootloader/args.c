/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "args.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* A word as the kernel compares it: without its quotes, and - in a key is _. */
struct reader {
	const char *at, *end;
	bool key;
};

/* isspace() of the kernel, whose table is Latin-1 */
bool args_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r') || c == '\xa0';
}

static void skip_quotes(struct reader *r)
{
	if (r->at == r->end || *r->at != '"')
		return;
	r->at++;
	if (r->end > r->at && r->end[-1] == '"')
		r->end--;
}

static struct reader start(const char *word)
{
	struct reader r = { .at = word, .end = word + strlen(word), .key = true };

	skip_quotes(&r);
	return r;
}

static char next(struct reader *r)
{
	char c;

	if (r->at == r->end)
		return '\0';
	c = *r->at++;
	if (r->key && c == '-')
		return '_';
	if (r->key && c == '=') {
		r->key = false;
		skip_quotes(r);
	}
	return c;
}

bool args_same(const char *a, const char *b)
{
	struct reader x = start(a), y = start(b);
	char c;

	do {
		c = next(&x);
		if (c != next(&y))
			return false;
	} while (c);
	return true;
}

void args_finish(struct args *args)
{
	for (size_t i = 0; i < args->n; i++)
		free(args->words[i]);
	free(args->words);
	*args = (struct args){ 0 };
}

int args_add_n(struct args *args, const char *word, size_t len)
{
	char **words = reallocarray(args->words, args->n + 1, sizeof(*words));

	if (!words)
		return -ENOMEM;
	args->words = words;
	words[args->n] = strndup(word, len);
	if (!words[args->n])
		return -ENOMEM;
	args->n++;
	return 0;
}

/* Its length; stops behind the closing quote of what is quoted, or at the end. */
static size_t word_length(const char *text, bool *ret_open)
{
	const char *c = text;
	bool quoted = false;

	for (; *c && (quoted || !args_space(*c)); c++)
		if (*c == '"')
			quoted = !quoted;
	*ret_open = quoted;
	return (size_t)(c - text);
}

int args_add(struct args *args, const char *word)
{
	const size_t len = strlen(word);
	bool open;

	if (!len || word_length(word, &open) != len || open)
		return -EINVAL;
	for (const char *c = word; *c; c++)
		if ((unsigned char)*c < 0x20 || *c == 0x7f)
			return -EINVAL;
	return args_add_n(args, word, len);
}

int args_parse(struct args *args, const char *text)
{
	size_t len;
	bool open;
	int r;

	for (;; text += len) {
		while (args_space(*text))
			text++;
		if (!*text)
			return 0;
		len = word_length(text, &open);
		r = args_add_n(args, text, len);
		if (r < 0)
			return r;
	}
}

bool args_has(const struct args *args, const char *word)
{
	for (size_t i = 0; i < args->n; i++)
		if (args_same(args->words[i], word))
			return true;
	return false;
}

bool args_has_all(const struct args *args, const struct args *words)
{
	for (size_t i = 0; i < words->n; i++)
		if (!args_has(args, words->words[i]))
			return false;
	return true;
}

int args_copy(struct args *args, const struct args *from)
{
	int r = 0;

	for (size_t i = 0; i < from->n && r == 0; i++)
		if (!args_has(args, from->words[i]))
			r = args_add_n(args, from->words[i], strlen(from->words[i]));
	return r;
}

int args_without(struct args *args, const struct args *all, const struct args *without)
{
	int r = 0;

	for (size_t i = 0; i < all->n && r == 0; i++)
		if (!args_has(without, all->words[i]))
			r = args_add_n(args, all->words[i], strlen(all->words[i]));
	return r;
}

bool args_equal(const struct args *a, const struct args *b)
{
	if (a->n != b->n)
		return false;
	for (size_t i = 0; i < a->n; i++)
		if (strcmp(a->words[i], b->words[i]) != 0)
			return false;
	return true;
}

char *args_join(const struct args *args)
{
	size_t size = 1;
	char *text, *at;

	for (size_t i = 0; i < args->n; i++)
		size += strlen(args->words[i]) + 1;
	text = malloc(size);
	if (!text)
		return NULL;
	at = text;
	for (size_t i = 0; i < args->n; i++) {
		if (i)
			*at++ = ' ';
		at = stpcpy(at, args->words[i]);
	}
	*at = '\0';
	return text;
}
