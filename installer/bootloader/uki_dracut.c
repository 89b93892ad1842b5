/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Unified kernel images by dracut: kernel_cmdline in its configuration, to which a file
 * of ours appends.
 */
#include <errno.h>
#include <stdio.h>

#include "backends.h"
#include "bls.h"
#include "shell.h"

#define CONF "etc/dracut.conf"
#define FOLDER "etc/dracut.conf.d"
#define OURS FOLDER "/90-vfio-claim.conf"
#define KEY "kernel_cmdline"
#define SEED_HEADER "# Without this line it would lack what the kernel runs with:\n"

static const char *const keys[] = { KEY, "uefi", NULL };

static int load(struct fs *root, const struct changes *changes, struct shell *shell,
		struct shell_problem *problem)
{
	*shell = (struct shell){ .keys = keys, .bash = true };
	return boot_shell(root, changes, CONF, FOLDER, ".conf", OURS, shell, problem);
}

static bool probe(struct fs *root, struct str *evidence)
{
	SHELL_OWNED struct shell shell = { 0 };
	ARGS_OWNED struct args uefi = { 0 };
	struct shell_problem problem;
	char name[64];
	const struct shell_assign *last;

	if (boot_is_bios(root) || boot_started(root, name, sizeof(name)) == BOOT_GRUB)
		return false;
	if (load(root, NULL, &shell, &problem) < 0 ||
	    shell_words(&shell, "uefi", &uefi) < 0 || !args_has(&uefi, "yes"))
		return false;
	last = shell_last(&shell, "uefi");
	boot_found(evidence, shell.files[last->file].path);
	return true;
}

static int show(struct fs *root, struct args *ret)
{
	SHELL_OWNED struct shell shell = { 0 };
	struct shell_problem problem;
	int r;

	r = load(root, NULL, &shell, &problem);
	if (r == 0 && !shell_last(&shell, KEY))
		return boot_seed(root, ret);
	return r < 0 ? r : shell_words(&shell, KEY, ret);
}

static struct shell_file *ours(struct shell *shell)
{
	for (size_t i = 0; i < shell->n_files; i++)
		if (str_equal(shell->files[i].path, OURS))
			return &shell->files[i];
	return NULL;
}

/* "kernel_cmdline+=" is ours, "kernel_cmdline=" before it the seed. */
static int compose(struct fs *root, bool seed, const struct args *words, char **ret)
{
	TEXT_OWNED char *joined = args_join(words), *base = NULL;
	ARGS_OWNED struct args running = { 0 };
	int r;

	if (seed) {
		r = boot_seed(root, &running);
		if (r < 0)
			return r;
		for (size_t i = 0; i < running.n; i++)
			if (strpbrk(running.words[i], "\"$`\\"))
				return -EINVAL;
	}
	base = args_join(&running);
	if (!joined || !base)
		return -ENOMEM;
	r = seed ? asprintf(ret,
			    BOOT_HEADER SEED_HEADER KEY "=\" %s \"\n" KEY "+=\" %s \"\n",
			    base, joined)
		 : asprintf(ret, BOOT_HEADER KEY "+=\" %s \"\n", joined);
	if (r < 0)
		*ret = NULL;
	return r < 0 ? -ENOMEM : 0;
}

/* The words of our last line; empty if the file has another form. */
static int our_words(const char *text, struct args *ret)
{
	const char *line = strstr(text, KEY "+=\" ");

	if (!str_starts(text, BOOT_HEADER) || !line)
		return 0;
	line += strlen(KEY "+=\" ");
	return args_parse(ret, strndupa(line, strcspn(line, "\"\n")));
}

static int edit_ours(struct fs *root, struct shell *shell, const struct args *add,
		     const struct args *remove, struct shell_problem *problem)
{
	ARGS_OWNED struct args before = { 0 }, words = { 0 };
	struct shell_file *f = ours(shell);
	char *text = NULL;
	int r;

	r = our_words(f->text, &before);
	if (r == 0)
		r = args_without(&words, &before, remove);
	if (r == 0)
		r = args_copy(&words, add);
	if (r < 0 || args_equal(&words, &before))
		return r;
	if (*f->text && !before.n) {
		*problem = (struct shell_problem){ f->path, 0, _("it was edited") };
		return -EINVAL;
	}
	if (words.n && *f->text) {
		/* the seed stays as it is */
		const size_t at = (size_t)(strstr(f->text, KEY "+=") - f->text);
		TEXT_OWNED char *line = NULL;

		r = compose(root, false, &words, &line);
		if (r == 0)
			text = text_splice(f->text, at, strlen(f->text),
					   line + strlen(BOOT_HEADER));
	} else if (words.n) {
		r = compose(root, !shell_last(shell, KEY), &words, &text);
	} else {
		text = strdup("");
	}
	if (r < 0 || !text)
		return r < 0 ? r : -ENOMEM;
	free(f->text);
	f->text = text;
	return shell_parse(shell, problem);
}

static int edit(struct fs *root, struct shell *shell, const struct args *missing,
		const struct args *remove, struct shell_problem *problem)
{
	ARGS_OWNED struct args after = { 0 };
	int r;

	r = edit_ours(root, shell, missing, remove, problem);
	if (r == 0)
		r = shell_remove(shell, KEY, remove, problem);
	if (r == 0)
		r = shell_words(shell, KEY, &after);
	for (size_t i = 0; i < missing->n && r == 0; i++) {
		const struct shell_assign *last = shell_last(shell, KEY);

		if (args_has(&after, missing->words[i]))
			continue;
		*problem =
			(struct shell_problem){ shell->files[last->file].path, last->line,
						_("this comes later and replaces it") };
		r = -EINVAL;
	}
	return r;
}

static int run(struct fs *root, struct changes *changes)
{
	NAMES_OWNED struct name_list kernels = { 0 };
	int r;

	r = boot_kernels(root, &kernels);
	for (size_t i = 0; i < kernels.n && r == 0; i++) {
		const char *argv[] = { "dracut",	 "-f", "--uefi", "--kver",
				       kernels.names[i], NULL };

		r = changes_run(changes, N_("build the unified kernel images"), argv,
				NULL);
	}
	return r;
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	SHELL_OWNED struct shell shell = { 0 };
	ARGS_OWNED struct args words = { 0 }, missing = { 0 };
	struct shell_problem problem = { 0 };
	const size_t n = changes->n_files;
	int r;

	r = load(root, changes, &shell, &problem);
	if (r == 0)
		r = shell_words(&shell, KEY, &words);
	if (r == 0)
		r = args_without(&missing, add, &words);
	if (r == 0)
		r = boot_words_plain(&missing, "dracut", why);
	if (r == 0)
		r = edit(root, &shell, &missing, remove, &problem);
	if (r < 0) {
		if (problem.path)
			boot_at(why, problem.path, problem.line, problem.reason);
		boot_by_hand(why, KEY, add, remove, "dracut -f --uefi");
		return r;
	}
	r = boot_put_shell(changes, root, &shell, OURS, &missing, &bootloader_uki_dracut);
	return r == 0 && changes->n_files != n ? run(root, changes) : r;
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	size_t count = 0;
	int r;

	r = bls_verify_images(root, present, absent, &count, why);
	if (r == 0 && !count) {
		str_add(why, _("no unified kernel image was found in EFI/Linux"));
		r = -ENOENT;
	}
	return r;
}

const struct bootloader bootloader_uki_dracut = {
	.name = "uki-dracut",
	.title = N_("unified kernel images by dracut"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = verify,
};
