/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRUB of Debian and Ubuntu, whose grub-mkconfig reads /etc/default/grub.d, too: our
 * words have a file of their own.
 */
#include <errno.h>
#include <stdio.h>

#include "backends.h"
#include "grub.h"

#define LINE_BEGIN GRUB_KEY "=\"$" GRUB_KEY

static bool probe(struct fs *root, struct str *evidence)
{
	static const char *const debian[] = { "debian", "ubuntu", NULL };

	if (!boot_exists(root, GRUB_DEFAULT))
		return false;
	if (!boot_exists(root, "usr/sbin/update-grub") && !boot_os_is(root, debian))
		return false;
	grub_found(root, evidence);
	return true;
}

static int show(struct fs *root, struct args *ret)
{
	return grub_show(root, true, ret);
}

static struct shell_file *ours(struct shell *shell)
{
	for (size_t i = 0; i < shell->n_files; i++)
		if (str_equal(shell->files[i].path, GRUB_OURS))
			return &shell->files[i];
	return NULL;
}

/* A file of ours with these words; NULL without memory. */
static char *compose(const struct args *words)
{
	TEXT_OWNED char *joined = args_join(words);
	char *text = NULL, *at;

	if (!joined)
		return NULL;
	text = malloc(sizeof(BOOT_HEADER LINE_BEGIN " \"\n") + 2 * strlen(joined));
	if (!text)
		return NULL;
	at = stpcpy(text, BOOT_HEADER LINE_BEGIN " ");
	for (const char *c = joined; *c; c++) {
		if (*c == '"')
			*at++ = '\\';
		*at++ = *c;
	}
	strcpy(at, "\"\n");
	return text;
}

/* 1 if the file is as we write it: nobody has edited it. 0 or a negative errno. */
static int is_ours(const char *text, struct args *ret)
{
	const char *line = text + strlen(BOOT_HEADER LINE_BEGIN " ");
	TEXT_OWNED char *again = NULL, *words = NULL;
	char *out;
	int r;

	if (!str_starts(text, BOOT_HEADER LINE_BEGIN " "))
		return 0;
	words = out = strdup(line);
	if (!words)
		return -ENOMEM;
	for (; *line && *line != '\n'; line++) {
		if (*line == '\\' && line[1] == '"')
			*out++ = *++line;
		else if (*line != '"')
			*out++ = *line;
	}
	*out = '\0';
	r = args_parse(ret, words);
	again = r < 0 ? NULL : compose(ret);
	if (!again)
		return -ENOMEM;
	if (str_equal(again, text))
		return 1;
	args_finish(ret);
	return 0;
}

static int write_ours(struct shell *shell, struct shell_file *f, const struct args *words,
		      struct shell_problem *problem)
{
	char *text = words->n ? compose(words) : strdup("");

	if (!text)
		return -ENOMEM;
	free(f->text);
	f->text = text;
	return shell_parse(shell, problem);
}

/* What must come out for a key, besides what is added. */
static int wanted(const struct shell *shell, const char *key, const struct args *remove,
		  struct args *ret)
{
	ARGS_OWNED struct args words = { 0 };
	int r;

	r = shell_words(shell, key, &words);
	return r < 0 ? r : args_without(ret, &words, remove);
}

/* Our own file first; what then is still there stands in somebody else's. */
static int edit_ours(struct shell *shell, const struct args *add,
		     const struct args *remove, struct shell_problem *problem)
{
	ARGS_OWNED struct args before = { 0 }, words = { 0 };
	struct shell_file *f = ours(shell);
	const size_t index = (size_t)(f - shell->files);
	int r;

	r = *f->text ? is_ours(f->text, &before) : 1;
	if (r == 0) /* somebody has made it theirs */
		return add->n ? shell_append(shell, GRUB_KEY, index, add, problem) : 0;
	if (r == 1)
		r = args_without(&words, &before, remove);
	for (size_t i = 0; i < add->n && r == 0; i++)
		r = args_add_n(&words, add->words[i], strlen(add->words[i]));
	return r < 0 ? r : write_ours(shell, f, &words, problem);
}

static int edit(struct shell *shell, const struct args *add, const struct args *remove,
		struct shell_problem *problem)
{
	ARGS_OWNED struct args linux_words = { 0 }, default_words = { 0 };
	const struct args none = { 0 };
	int r;

	r = wanted(shell, grub_keys[0], remove, &linux_words);
	if (r == 0)
		r = wanted(shell, grub_keys[1], remove, &default_words);
	if (r == 0)
		r = edit_ours(shell, add, remove, problem);
	for (const char *const *key = grub_keys; *key && r == 0; key++)
		r = shell_remove(shell, *key, remove, problem);
	if (r == 0)
		r = shell_compare(shell, grub_keys[0], &linux_words, add, problem);
	if (r == 0)
		r = shell_compare(shell, grub_keys[1], &default_words, &none, problem);
	return r;
}

static int menu(struct fs *root, struct changes *changes)
{
	static const char *const update[] = { "update-grub", NULL };

	(void)root;
	return changes_run(changes, N_("write GRUB's menu"), update, NULL);
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	SHELL_OWNED struct shell shell = { 0 };
	ARGS_OWNED struct args missing = { 0 };
	const size_t n = changes->n_files;
	int r;

	r = grub_edit(root, changes, true, add, remove, edit, "update-grub", &shell,
		      &missing, why);
	if (r < 0)
		return r;
	r = boot_put_shell(changes, root, &shell, GRUB_OURS, &missing,
			   &bootloader_grub_drop_in);
	if (r == 0 && changes->n_files != n)
		r = menu(root, changes);
	return r;
}

static int entries(struct fs *root, struct changes *changes, struct str *why)
{
	(void)changes;
	return grub_entries(root, true, why);
}

const struct bootloader bootloader_grub_drop_in = {
	.name = "grub-drop-in",
	.title = N_("GRUB, with files in /etc/default/grub.d"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = grub_verify,
	.menu = menu,
	.entries = entries,
	.has_entry = grub_has_entry,
	.list_entries = grub_list_entries,
};
