/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "kernel_words.h"

#include <errno.h>
#include <stdio.h>

#include "line.h"

#define FALLBACK "usr/lib/kernel/cmdline"

/* What kernel-install takes without the file, as one line. */
static int seed_text(struct fs *root, char **ret)
{
	ARGS_OWNED struct args words = { 0 };
	TEXT_OWNED char *text = NULL, *joined = NULL;
	int r;

	r = boot_look(root, FALLBACK, &text);
	r = r == 0 ? args_parse(&words, text) : boot_seed(root, &words);
	if (r < 0)
		return r;
	joined = args_join(&words);
	return joined && asprintf(ret, "%s\n", joined) >= 0 ? 0 : -ENOMEM;
}

bool kernel_words_takes_running(struct fs *root)
{
	return !boot_exists(root, FALLBACK);
}

/* Comments left out. */
static int words_of(const char *text, struct args *ret)
{
	int r = 0;

	for (const char *line = text; r == 0 && *line;) {
		const size_t len = strcspn(line, "\n");

		if (line[strspn(line, " \t")] != '#')
			r = line_words(line, 0, len, ret);
		line += len + (line[len] == '\n');
	}
	return r;
}

int kernel_words_show(struct fs *root, struct args *ret)
{
	TEXT_OWNED char *text = NULL;
	int r;

	r = boot_text(root, NULL, KERNEL_CMDLINE, &text);
	if (r == 0 && !text)
		r = seed_text(root, &text);
	return r == 0 && text ? words_of(text, ret) : r;
}

static int first_line_of(const char *text, struct args *ret)
{
	return line_words(text, 0, strcspn(text, "\n"), ret);
}

int kernel_words_show_first(struct fs *root, struct args *ret)
{
	TEXT_OWNED char *text = NULL;
	int r = boot_text(root, NULL, KERNEL_CMDLINE, &text);

	return r == 0 && text ? first_line_of(text, ret) : r;
}

/* @NAME@; a single @ is a subvolume's name */
static bool has_placeholder(const char *line, size_t len)
{
	for (size_t i = 0; i < len; i++) {
		size_t n = i + 1;

		if (line[i] != '@')
			continue;
		while (n < len && (line[n] == '_' || (line[n] >= 'A' && line[n] <= 'Z') ||
				   (line[n] >= 'a' && line[n] <= 'z')))
			n++;
		if (n > i + 1 && n < len && line[n] == '@')
			return true;
	}
	return false;
}

/* The one line that holds words. False with `why` if there is no such thing. */
static bool find_line(const char *path, const char *text, enum kernel_words how,
		      size_t *ret_from, size_t *ret_to, struct str *why)
{
	const char *reason = NULL;
	unsigned number = 1, found = 0;

	*ret_from = 0;
	*ret_to = strcspn(text, "\n");
	for (const char *line = text; *line && !reason; number++) {
		const size_t len = strcspn(line, "\n");
		const char *begin = line;

		while (begin < line + len && args_space(*begin))
			begin++;
		if (memchr(line, '\r', len))
			reason = _("lines end as on Windows (CRLF)");
		else if (begin < line + len && *begin == '#')
			reason = _("there are comments in it");
		else if (how == KERNEL_WORDS_FIRST_LINE && number > 1 &&
			 begin < line + len)
			reason = _("only its first line counts, and this is another one");
		else if (begin < line + len && found++)
			reason = _("there are several lines in it");
		else if (memmem(line, len, "{{", 2) || memmem(line, len, "{%", 2) ||
			 memmem(line, len, "${", 2) || has_placeholder(line, len))
			reason = _("it is a template");
		else if (begin < line + len) {
			*ret_from = (size_t)(line - text);
			*ret_to = *ret_from + len;
		}
		if (!reason)
			line += len + (line[len] == '\n');
	}
	if (reason)
		boot_at(why, path, number - 1, reason);
	return !reason;
}

static int edit(const char *path, char **text, enum kernel_words how,
		const struct args *add, const struct args *remove, struct args *added,
		struct str *why)
{
	size_t from, to;
	int r;

	if (!find_line(path, *text, how, &from, &to, why))
		return -EINVAL;
	r = line_edit(text, from, &to, add, remove, added);
	if (r == -EINVAL)
		boot_at(why, path, 0,
			_("it has a \"--\": what follows goes to init, not to the kernel"));
	else if (r < 0)
		boot_at(why, path, 0, str_errno(r));
	return r;
}

/* Whether anything has to be done: a file that we would refuse may be right already. */
static int is_done(const char *text, enum kernel_words how, const struct args *add,
		   const struct args *remove)
{
	ARGS_OWNED struct args words = { 0 };
	int r;

	r = how == KERNEL_WORDS_JOINED ? words_of(text, &words)
				       : first_line_of(text, &words);
	for (size_t i = 0; i < add->n && r == 0; i++)
		if (!args_has(&words, add->words[i]))
			return 0;
	for (size_t i = 0; i < remove->n && r == 0; i++)
		if (args_has(&words, remove->words[i]))
			return 0;
	return r < 0 ? r : 1;
}

int kernel_words_plan(struct fs *root, const char *path, enum kernel_words how,
		      const struct bootloader *owner, const struct args *add,
		      const struct args *remove, struct changes *changes, struct str *why)
{
	ARGS_OWNED struct args added = { 0 };
	TEXT_OWNED char *before = NULL, *text = NULL;
	int r;

	r = boot_text(root, changes, path, &before);
	if (r == 0 && before)
		text = strdup(before);
	else if (r == 0 && how == KERNEL_WORDS_JOINED)
		r = seed_text(root, &text);
	else if (r == 0)
		text = strdup("");
	if (r == 0 && !text)
		r = -ENOMEM;
	if (r < 0) {
		boot_at(why, path, 0, boot_reason(r));
		return r;
	}
	r = is_done(text, how, add, remove);
	if (r != 0)
		return r < 0 ? r : 0;
	r = edit(path, &text, how, add, remove, &added, why);
	if (r < 0 || (before && str_equal(before, text)))
		return r;
	r = boot_put(changes, root, path, text, 0644, owner, &added);
	return r < 0 ? r : 1;
}

int kernel_words_keep(struct fs *root, const struct bootloader *owner,
		      struct changes *changes)
{
	const struct args none = { 0 };
	TEXT_OWNED char *text = NULL;
	int r;

	if (boot_exists(root, KERNEL_CMDLINE) || !kernel_words_takes_running(root))
		return 0;
	r = boot_text(root, changes, KERNEL_CMDLINE, &text);
	if (r < 0 || text)
		return r;
	r = seed_text(root, &text);
	return r < 0 ? r
		     : boot_put(changes, root, KERNEL_CMDLINE, text, 0644, owner, &none);
}
