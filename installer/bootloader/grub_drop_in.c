/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * GRUB of Debian and Ubuntu, whose grub-mkconfig reads /etc/default/grub.d, too: our
 * words have a file of their own.
 */
#include <errno.h>
#include <stdio.h>

#include "backends.h"
#include "grub.h"

#define HEADER \
	"# Made by vfio-claim; \"vfio-claim args\" and \"vfio-claim undo\" change it.\n"
#define LINE_BEGIN GRUB_KEY "=\"$" GRUB_KEY

static bool probe(struct fs *root, struct str *evidence)
{
	static const char *const debian[] = { "debian", "ubuntu", NULL };

	if (!boot_exists(root, GRUB_DEFAULT))
		return false;
	if (!boot_exists(root, "usr/sbin/update-grub") && !boot_os_is(root, debian))
		return false;
	boot_found(evidence, GRUB_DEFAULT);
	if (grub_cfg(root))
		boot_found(evidence, grub_cfg(root));
	return true;
}

static int show(struct fs *root, struct args *ret)
{
	SHELL_OWNED struct shell shell = { 0 };
	struct shell_problem problem;
	int r;

	r = grub_load(root, NULL, true, &shell, &problem);
	return r < 0 ? r : grub_words(&shell, ret);
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
	text = malloc(sizeof(HEADER LINE_BEGIN " \"\n") + 2 * strlen(joined));
	if (!text)
		return NULL;
	at = stpcpy(text, HEADER LINE_BEGIN " ");
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
	const char *line = text + strlen(HEADER LINE_BEGIN " ");
	TEXT_OWNED char *again = NULL, *words = NULL;
	char *out;
	int r;

	if (!str_starts(text, HEADER LINE_BEGIN " "))
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

static int compare(const struct shell *shell, const char *key, const struct args *add,
		   const struct args *expect, struct shell_problem *problem)
{
	ARGS_OWNED struct args words = { 0 }, others = { 0 };
	const struct shell_assign *last = shell_last(shell, key);
	int r;

	r = shell_words(shell, key, &words);
	if (r == 0)
		r = args_without(&others, &words, add);
	/* drop-ins after ours may append, too: our words can be anywhere */
	if (r < 0 || (args_has_all(&words, add) && args_equal(&others, expect)))
		return r;
	*problem = (struct shell_problem){
		last ? shell->files[last->file].path : GRUB_DEFAULT,
		last ? last->line : 0,
		_("this comes later and replaces it, or puts it together in another way"),
	};
	return -EINVAL;
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
		r = compare(shell, grub_keys[0], add, &linux_words, problem);
	if (r == 0)
		r = compare(shell, grub_keys[1], &none, &default_words, problem);
	return r;
}

static int put(struct fs *root, const struct shell *shell, const struct args *added,
	       struct changes *changes)
{
	const struct args none = { 0 };
	int r = 0;

	for (size_t i = 0; i < shell->n_files && r == 0; i++) {
		const struct shell_file *f = &shell->files[i];
		const bool own = str_equal(f->path, GRUB_OURS);

		if (f->before ? str_equal(f->before, f->text) : !*f->text)
			continue;
		if (!own) {
			r = boot_put(changes, root, f->path, f->text, 0644,
				     &bootloader_grub_drop_in, &none);
			continue;
		}
		r = boot_put(changes, root, f->path, *f->text ? f->text : NULL, 0644,
			     &bootloader_grub_drop_in, added);
		for (size_t k = 0; k < changes->n_files && r == 0; k++)
			if (str_equal(changes->files[k].path, GRUB_OURS) &&
			    (!*f->text || str_starts(f->text, HEADER)))
				changes->files[k].kind = CHANGE_FILE;
	}
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
	struct shell_problem problem = { 0 };
	const size_t n = changes->n_files;
	int r;

	r = grub_load(root, changes, true, &shell, &problem);
	if (r == 0)
		r = grub_missing(&shell, add, &missing);
	if (r == 0 && missing.n)
		r = grub_check(&missing, why);
	if (r == 0)
		r = edit(&shell, &missing, remove, &problem);
	if (r < 0) {
		if (problem.path)
			boot_at(why, problem.path, problem.line, problem.reason);
		boot_by_hand(why, GRUB_KEY, add, remove, "update-grub");
		return r;
	}
	r = put(root, &shell, &missing, changes);
	if (r == 0 && changes->n_files != n)
		r = menu(root, changes);
	return r;
}

const struct bootloader bootloader_grub_drop_in = {
	.name = "grub-drop-in",
	.title = N_("GRUB, with files in /etc/default/grub.d"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = grub_verify,
	.menu = menu,
};
