/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * rEFInd: /boot/refind_linux.conf, a line for each way to boot: "title" "words".
 */
#include <errno.h>
#include <stdio.h>

#include "backends.h"
#include "boot_files.h"
#include "line.h"

#define CONF "boot/refind_linux.conf"

static bool probe(struct fs *root, struct str *evidence)
{
	char name[64];
	const enum boot_started started = boot_started(root, name, sizeof(name));

	if (boot_is_bios(root) || !boot_exists(root, CONF) ||
	    (started != BOOT_REFIND && started != BOOT_UNKNOWN))
		return false;
	boot_found(evidence, CONF);
	return true;
}

/* Where the words of the line at `at` stand. 1, 0 if it is no entry, -EINVAL. */
static int find_words(const char *text, size_t at, size_t *ret_from, size_t *ret_to)
{
	const size_t end = at + strcspn(text + at, "\n");
	size_t quotes[4], n = 0;

	at += strspn(text + at, " \t");
	if (at == end || text[at] == '#')
		return 0;
	for (size_t i = at; i < end && text[i] != '#'; i++) {
		if (text[i] != '"') {
			/* something between the two, or a line without quotes */
			if (n != 1 && n != 3 && !strchr(" \t", text[i]))
				return -EINVAL;
			continue;
		}
		/* "" stands for a quote */
		if (n == 4 || text[i + 1] == '"')
			return -EINVAL;
		quotes[n++] = i;
	}
	if (n != 4)
		return -EINVAL;
	*ret_from = quotes[2] + 1;
	*ret_to = quotes[3];
	return 1;
}

static int show(struct fs *root, struct args *ret)
{
	TEXT_OWNED char *text = NULL;
	size_t from, to;
	int r;

	r = boot_look(root, CONF, &text);
	if (r < 0)
		return r;
	for (size_t at = 0; text[at];
	     at += strcspn(text + at, "\n"), at += text[at] == '\n') {
		r = find_words(text, at, &from, &to);
		/* the first is the one that boots */
		if (r != 0)
			return r < 0 ? r : line_words(text, from, to, ret);
	}
	return -ENOENT;
}

static int edit(char **text, const struct args *add, const struct args *remove,
		struct args *added, struct str *why)
{
	size_t from, to;
	unsigned line = 1;
	int r;

	for (size_t at = 0; (*text)[at]; line++) {
		ARGS_OWNED struct args here = { 0 };

		r = find_words(*text, at, &from, &to);
		if (r == 1)
			r = line_edit(text, from, &to, add, remove, &here);
		if (r == 0)
			r = args_copy(added, &here);
		if (r < 0) {
			boot_at(why, CONF, line,
				r == -EINVAL ? _("this line is not \"TITLE\" \"WORDS\"")
					     : boot_reason(r));
			return r;
		}
		at += strcspn(*text + at, "\n");
		at += (*text)[at] == '\n';
	}
	return 0;
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	ARGS_OWNED struct args added = { 0 };
	TEXT_OWNED char *text = NULL;
	int r;

	r = boot_text(root, changes, CONF, &text);
	if (r == 0 && !text)
		r = -ENOENT;
	if (r < 0)
		boot_at(why, CONF, 0, boot_reason(r));
	if (r == 0)
		r = boot_words_plain(add, "rEFInd", why);
	if (r == 0)
		r = edit(&text, add, remove, &added, why);
	if (r < 0) {
		boot_by_hand(why, "/" CONF, add, remove, NULL);
		return r;
	}
	return boot_put(changes, root, CONF, text, 0644, &bootloader_refind, &added);
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	TEXT_OWNED char *text = NULL;
	size_t from, to, count = 0;
	unsigned line = 1;
	int r;

	r = boot_look(root, CONF, &text);
	for (size_t at = 0; r == 0 && text[at]; line++) {
		ARGS_OWNED struct args words = { 0 };
		char entry[64];

		r = find_words(text, at, &from, &to);
		if (r == 1) {
			count++;
			snprintf(entry, sizeof(entry), "/" CONF ":%u", line);
			r = line_words(text, from, to, &words);
			if (r == 0)
				r = boot_judge(&words, entry, present, absent, why);
		}
		at += strcspn(text + at, "\n");
		at += text[at] == '\n';
	}
	if (r == 0 && !count)
		r = -ENOENT;
	if (r < 0 && r != -ESTALE)
		boot_at(why, CONF, 0, boot_reason(r));
	return r;
}

const struct bootloader bootloader_refind = {
	.name = "refind",
	.title = N_("rEFInd"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = verify,
};
