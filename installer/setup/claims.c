/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "claims.h"

#include <stdlib.h>
#include <string.h>

#include "str.h"

enum line { OTHER, EMPTY, KEY, HOST, CLAIM };

#define BLANKS " \t\r"

/* What a line is, and of a claim its name. */
static enum line look(const char *line, size_t len, const char **ret_name,
		      size_t *ret_len)
{
	const char *end = line + len;
	size_t n = strspn(line, BLANKS);

	line += n < len ? n : len;
	if (line == end || *line == '\n')
		return EMPTY;
	if (*line == '#')
		return OTHER;
	if (*line != '[')
		return KEY;
	line += 1 + strspn(line + 1, BLANKS);
	if (!str_starts(line, "claim") || !line[5] || !strchr(BLANKS, line[5]))
		return HOST;
	line += 5;
	line += strspn(line, BLANKS);
	*ret_name = line;
	*ret_len = strcspn(line, BLANKS "]\n");
	return CLAIM;
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
	const char *end = text, *name;
	size_t len, name_len;

	for (; *text; text += len) {
		enum line what;

		len = strcspn(text, "\n");
		len += text[len] == '\n';
		what = look(text, len, &name, &name_len);
		if (what == HOST || what == CLAIM)
			break;
		if (what == KEY)
			end = text + len;
	}
	return end;
}

char *claims_remove(const char *text, const struct args *names, bool *ret_left)
{
	char *result = malloc(strlen(text) + 1), *to = result;
	bool empty = true; /* the last line that was kept, or there is none */
	const char *name;
	size_t len, name_len;

	*ret_left = false;
	if (!result)
		return NULL;
	for (; *text; text += len) {
		enum line what;

		len = strcspn(text, "\n");
		len += text[len] == '\n';
		what = look(text, len, &name, &name_len);
		if (what == CLAIM && named(names, name, name_len)) {
			text = section_end(text + len);
			/* one empty line is left of the two around it */
			len = empty && *text == '\n';
			continue;
		}
		*ret_left |= what == CLAIM;
		memcpy(to, text, len);
		to += len;
		empty = what == EMPTY;
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
	const char *found;
	size_t len, n;

	if (!result)
		return NULL;
	for (; *text; text += len) {
		enum line what;

		len = strcspn(text, "\n");
		len += text[len] == '\n';
		what = look(text, len, &found, &n);
		if (what == HOST || what == CLAIM)
			inside = what == CLAIM && n == strlen(name) &&
				 memcmp(found, name, n) == 0;
		if (inside && what == KEY && is_boot(text))
			continue;
		to = mempcpy(to, text, len);
		if (inside && what == CLAIM && named)
			to = stpcpy(to, key);
	}
	*to = '\0';
	return result;
}
