/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The kernel command line: an `off` that stands anywhere is never missed. */
#include "fuzz.h"
#include "kargs.h"
#include "str.h"

static bool space(char c)
{
	return c && strchr(" \t\n\v\f\r", c);
}

/* Does the word stand on its own, outside of quotes? */
static bool has_word(const char *text, const char *word)
{
	size_t len = strlen(word);
	bool quoted = false;

	for (const char *c = text; *c; c++) {
		if (!quoted && (c == text || space(c[-1])) && !strncmp(c, word, len) &&
		    (!c[len] || space(c[len])))
			return true;
		quoted ^= *c == '"';
	}
	return false;
}

static void check_words(const char *text)
{
	const char *p = text, *q = text, *before;
	size_t size = strlen(text) + 1;
	char *word = malloc(size), small[9];
	bool cut, cut_small;

	CHECK(word);
	for (before = p; kargs_next(&p, word, size, &cut); before = p) {
		CHECK(p > before && !cut);
		CHECK(!*p || space(*p));
		CHECK(!strchr(word, '"'));
		/* a smaller buffer loses the end of the word, not its place */
		CHECK(kargs_next(&q, small, sizeof(small), &cut_small) && p == q);
		CHECK(cut_small == (strlen(word) > 8) &&
		      !strncmp(word, small, strlen(small)));
		CHECK(cut_small == (strlen(small) != strlen(word)));
	}
	CHECK(!*p);
	free(word);
}

/* Exactly the items of the list are named. */
static void check_names(const struct kargs_choice *choice)
{
	char *copy = strdup(choice->names), *rest = copy, *item, *longer;

	CHECK(copy);
	while (*choice->names && (item = strsep(&rest, ","))) {
		if (!*item)
			continue;
		CHECK(!kargs_reserved(item));
		CHECK(kargs_names(choice, item));
		longer = malloc(strlen(item) + 2);
		CHECK(longer);
		snprintf(longer, strlen(item) + 2, "%s\x01", item);
		CHECK(strchr(choice->names, 1) || !kargs_names(choice, longer));
		longer[0] = 1;
		CHECK(strchr(choice->names, 1) || !kargs_names(choice, longer));
		free(longer);
	}
	free(copy);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);
	struct kargs_choice choice, again;
	bool off;

	kargs_choose(text, &choice);
	off = has_word(text, "vfio_claim=off") || has_word(text, "vfio-claim=off") ||
	      has_word(text, "single") || has_word(text, "emergency") ||
	      has_word(text, "rescue") || has_word(text, "recovery") ||
	      has_word(text, "systemd.unit=rescue.target");
	CHECK(!off || choice.mode == KARGS_OFF);
	CHECK(choice.mode <= KARGS_BAD);
	CHECK(choice.mode == KARGS_ON || !choice.names[0]);
	CHECK((choice.mode != KARGS_OFF && choice.mode != KARGS_BAD) || choice.detail[0]);
	/* without a word of ours nothing is switched or chosen */
	if (!strstr(text, "vfio") && !strchr(text, '"') && !off)
		CHECK(choice.mode != KARGS_BAD && choice.mode != KARGS_DRY_RUN &&
		      !choice.names[0]);
	check_names(&choice);
	check_words(text);

	/* one more off at the end decides, if it is not inside quotes */
	if (size < 4096) {
		char longer[4096 + 32];
		unsigned quotes = 0;

		for (const char *c = text; *c; c++)
			quotes += *c == '"';
		snprintf(longer, sizeof(longer), "%s%s vfio_claim=off", text,
			 quotes % 2 ? "\"" : "");
		kargs_choose(longer, &again);
		CHECK(again.mode == KARGS_OFF);
	}
	free(text);
	return 0;
}
