/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kargs.h"

#include <string.h>

#include "str.h"

static const char *const reserved[] = { "off", "on", "dry-run", NULL };

static bool is_space(char c)
{
	return c == ' ' || (c >= '\t' && c <= '\r');
}

bool kargs_next(const char **p, char *word, size_t size, bool *ret_cut)
{
	const char *c = *p;
	bool quoted = false;
	struct str s;

	str_init(&s, word, size);
	while (is_space(*c))
		c++;
	if (!*c) {
		*p = c;
		return false;
	}
	for (; *c && (quoted || !is_space(*c)); c++) {
		if (*c == '"')
			quoted = !quoted;
		else
			str_add_char(&s, *c);
	}
	*p = c;
	*ret_cut = s.cut;
	return true;
}

const char *kargs_value(const char *word, const char *key)
{
	for (; *key; word++, key++)
		if ((*word == '-' ? '_' : *word) != *key)
			return NULL;
	return *word == '=' ? word + 1 : *word ? NULL : word;
}

static bool in_list(const char *word, const char *const *list)
{
	for (; *list; list++)
		if (str_equal(word, *list))
			return true;
	return false;
}

static bool asks_rescue(const char *word)
{
	static const char *const words[] = { "single", "emergency", "rescue", "recovery",
					     "s",      "S",	    "1",      NULL };
	static const char *const units[] = { "rescue.target",	 "emergency.target",
					     "rescue",		 "emergency",
					     "runlevel1.target", NULL };
	const char *unit = str_starts(word, "systemd.unit=")	  ? word + 13
			   : str_starts(word, "rd.systemd.unit=") ? word + 16
								  : NULL;

	return in_list(word, words) || (unit && in_list(unit, units));
}

bool kargs_reserved(const char *word)
{
	return in_list(word, reserved);
}

bool kargs_names(const struct kargs_choice *choice, const char *name)
{
	const char *at = choice->names;
	size_t len = strlen(name);

	if (!*at)
		return true;
	for (; at; at = strchr(at, ',')) {
		at += *at == ',';
		if (!strncmp(at, name, len) && (at[len] == ',' || !at[len]))
			return true;
	}
	return false;
}

static enum kargs_mode bad(struct kargs_choice *ret, const char *why)
{
	struct str s = STR_ON(ret->detail);

	str_join(&s, "vfio_claim=: ", why, NULL);
	return KARGS_BAD;
}

static void take_value(struct kargs_choice *ret, const char *value, bool cut)
{
	struct kargs_choice list = { 0 };

	ret->names[0] = '\0';
	if (str_equal(value, "on")) {
		ret->mode = KARGS_ON;
	} else if (str_equal(value, "dry-run")) {
		ret->mode = KARGS_DRY_RUN;
	} else if (cut || !*value) {
		ret->mode = bad(ret, cut ? "the list is too long" : "no value");
	} else {
		str_copy(list.names, sizeof(list.names), value);
		ret->mode = KARGS_ON;
		for (const char *const *word = reserved; *word; word++)
			if (kargs_names(&list, *word))
				ret->mode = bad(ret, "a list can hold claim names only");
		if (ret->mode == KARGS_ON)
			str_copy(ret->names, sizeof(ret->names), value);
	}
}

void kargs_choose(const char *cmdline, struct kargs_choice *ret)
{
	char word[KARGS_WORD_MAX];
	const char *value;
	struct str s;
	bool cut;

	*ret = (struct kargs_choice){ .mode = KARGS_ON };
	while (kargs_next(&cmdline, word, sizeof(word), &cut)) {
		value = kargs_value(word, "vfio_claim");
		if (asks_rescue(word) || (value && str_equal(value, "off"))) {
			ret->mode = KARGS_OFF;
			ret->names[0] = '\0';
			s = STR_ON(ret->detail);
			str_join(&s, "the kernel command line says ", word, NULL);
			return;
		}
		if (value)
			take_value(ret, value, cut);
	}
}
