/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "apparmor.h"

#include <string.h>

#include "str.h"

#define BLANKS " \t"
#define MAX_STEPS 100000 /* of one rule: a pattern can be made to take forever */

static bool match(const char *glob, const char *glob_end, const char *path,
		  const char *rest, unsigned *steps);

/* Behind the brace that closes the one at `p`; NULL if none does. */
static const char *closing(const char *p, const char *end)
{
	unsigned depth = 0;

	for (; p < end; p++) {
		depth += *p == '{';
		depth -= *p == '}';
		if (!depth)
			return p;
	}
	return NULL;
}

/* {a,b}: each in turn, with what follows the braces. */
static bool match_braces(const char *glob, const char *end, const char *path,
			 const char *rest, unsigned *steps)
{
	const char *close = closing(glob, end), *from = glob + 1;
	unsigned depth = 0;
	char pattern[512];

	if (!close)
		return false;
	for (const char *p = from; p <= close; p++) {
		struct str s = STR_ON(pattern);

		depth += *p == '{';
		if (depth || (*p != ',' && p != close)) {
			depth -= *p == '}' && p != close;
			continue;
		}
		str_add_n(&s, from, (size_t)(p - from));
		str_add_n(&s, close + 1, (size_t)(end - close - 1));
		if (!s.cut && match(pattern, pattern + s.len, path, rest, steps))
			return true;
		from = p + 1;
	}
	return false;
}

static bool match_star(const char *glob, const char *end, const char *path,
		       const char *rest, unsigned *steps)
{
	const bool deep = glob + 1 < end && glob[1] == '*';

	glob += deep ? 2 : 1;
	do {
		if (match(glob, end, path, rest, steps))
			return true;
	} while (*path && (deep || *path != '/') && path++);
	return false;
}

/* The path up to its end; `rest` is where it may end. */
static bool match(const char *glob, const char *end, const char *path, const char *rest,
		  unsigned *steps)
{
	for (; glob < end; glob++, path++) {
		if (++*steps > MAX_STEPS)
			return false;
		if (*glob == '*')
			return match_star(glob, end, path, rest, steps);
		if (*glob == '{')
			return match_braces(glob, end, path, rest, steps);
		if (*glob == '\\' && glob + 1 < end)
			glob++;
		else if (*glob == '?' && *path && *path != '/')
			continue;
		if (*glob != *path)
			return false;
	}
	return path == rest;
}

/* "PATTERN PERMISSIONS," or the pattern in quotes. */
static bool rule_matches(const char *rule, const char *end, const char *path)
{
	const bool quoted = *rule == '"';
	const char *from = rule + quoted, *to = from, *p;
	unsigned steps = 0;

	while (to < end && (quoted ? *to != '"' : !strchr(BLANKS, *to)))
		to++;
	if (to >= end || memchr(from, '@', (size_t)(to - from)))
		return false;
	for (p = to + quoted; p < end && strchr(BLANKS, *p); p++)
		;
	for (; p < end && *p != ',' && *p != 'r'; p++)
		;
	return p < end && *p == 'r' && match(from, to, path, path + strlen(path), &steps);
}

bool apparmor_allows(const char *text, const char *path)
{
	bool allowed = false;

	for (const char *line = text, *end; *line; line = *end ? end + 1 : end) {
		const char *p = line + strspn(line, BLANKS);
		bool deny = false;

		end = line + strcspn(line, "\n");
		if (str_take_text(&p, "audit "))
			p += strspn(p, BLANKS);
		if (str_take_text(&p, "deny ")) {
			p += strspn(p, BLANKS);
			deny = true;
		}
		if ((*p != '/' && *p != '"') || !rule_matches(p, end, path))
			continue;
		/* a denial wins, wherever it stands */
		if (deny)
			return false;
		allowed = true;
	}
	return allowed;
}
