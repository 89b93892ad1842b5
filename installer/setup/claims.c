/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claims.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

enum kind { OTHER, EMPTY, KEY, HOST, CLAIM };

struct line {
	const char *text;
	size_t len; /* its newline included */
	enum kind kind;
	const char *name; /* of a claim */
	size_t name_len;
};

#define BLANKS " \t\r"

static enum kind look(struct line *l)
{
	const char *c = l->text, *end = c + l->len;
	size_t n = strspn(c, BLANKS);

	c += n < l->len ? n : l->len;
	if (c == end || *c == '\n')
		return EMPTY;
	if (*c == '#')
		return OTHER;
	if (*c != '[')
		return KEY;
	c += 1 + strspn(c + 1, BLANKS);
	if (!str_starts(c, "claim") || !c[5] || !strchr(BLANKS, c[5]))
		return HOST;
	c += 5;
	c += strspn(c, BLANKS);
	l->name = c;
	l->name_len = strcspn(c, BLANKS "]\n");
	return CLAIM;
}

/* The next line of what is left of a text. False at its end. */
static bool take_line(const char **text, struct line *ret)
{
	if (!**text)
		return false;
	*ret = (struct line){ .text = *text, .len = strcspn(*text, "\n") };
	ret->len += ret->text[ret->len] == '\n';
	ret->kind = look(ret);
	*text += ret->len;
	return true;
}

static bool is_section(const struct line *l)
{
	return l->kind == HOST || l->kind == CLAIM;
}

static bool named(const struct args *names, const char *name, size_t len)
{
	for (size_t i = 0; i < names->n; i++)
		if (strlen(names->words[i]) == len &&
		    memcmp(names->words[i], name, len) == 0)
			return true;
	return false;
}

/* From after a section's header to after its last key. */
static const char *section_end(const char *text)
{
	const char *end = text;
	struct line l;

	while (take_line(&text, &l) && !is_section(&l))
		if (l.kind == KEY)
			end = text;
	return end;
}

char *claims_remove(const char *text, const struct args *names, bool *ret_left)
{
	char *result = malloc(strlen(text) + 1), *to = result;
	bool empty = true; /* the last line that was kept, or there is none */
	struct line l;

	*ret_left = false;
	if (!result)
		return NULL;
	while (take_line(&text, &l)) {
		if (l.kind == CLAIM && named(names, l.name, l.name_len)) {
			text = section_end(text);
			/* one empty line is left of the two around it */
			text += empty && *text == '\n';
			continue;
		}
		*ret_left |= l.kind == CLAIM;
		to = mempcpy(to, l.text, l.len);
		empty = l.kind == EMPTY;
	}
	*to = '\0';
	return result;
}

static bool is_boot(const char *line)
{
	line += strspn(line, BLANKS);
	if (!str_take_text(&line, "boot"))
		return false;
	return line[strspn(line, BLANKS)] == '=';
}

char *claims_set_named(const char *text, const char *name, bool named)
{
	static const char key[] = "boot = named\n";
	char *result = malloc(strlen(text) + sizeof(key) + 1), *to = result;
	bool inside = false;
	struct line l;

	if (!result)
		return NULL;
	while (take_line(&text, &l)) {
		if (is_section(&l))
			inside = l.kind == CLAIM && l.name_len == strlen(name) &&
				 memcmp(l.name, name, l.name_len) == 0;
		if (inside && l.kind == KEY && is_boot(l.text))
			continue;
		to = mempcpy(to, l.text, l.len);
		if (inside && l.kind == CLAIM && named)
			to = stpcpy(to, key);
	}
	*to = '\0';
	return result;
}
