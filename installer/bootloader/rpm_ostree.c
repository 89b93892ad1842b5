/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Silverblue and its kin: the words belong to a deployment, and a change makes a new one.
 */
#include <errno.h>
#include <stdio.h>

#include "backends.h"
#include "bls.h"

#define ENTRIES "boot/loader/entries"

static bool probe(struct fs *root, struct str *evidence)
{
	if (!boot_exists(root, "usr/bin/rpm-ostree"))
		return false;
	if (boot_exists(root, "run/ostree-booted"))
		boot_found(evidence, "run/ostree-booted");
	else if (boot_exists(root, "ostree/repo"))
		boot_found(evidence, "ostree/repo");
	else
		return false;
	return true;
}

/* The deployment that boots next: the highest version. NULL if there is none. */
static const struct bls_entry *newest(const struct bls *bls)
{
	const struct bls_entry *best = NULL;

	for (size_t i = 0; i < bls->n; i++)
		if (str_starts(bls->entries[i].id, "ostree-") &&
		    (!best || strverscmp(best->version, bls->entries[i].version) < 0))
			best = &bls->entries[i];
	return best;
}

static int show(struct fs *root, struct args *ret)
{
	BLS_OWNED struct bls bls = { 0 };
	const struct bls_entry *e;
	int r;

	r = bls_read(root, ENTRIES, &bls);
	e = r < 0 ? NULL : newest(&bls);
	if (r == 0 && !e)
		r = -ENOENT;
	for (size_t i = 0; e && i < e->options.n && r == 0; i++)
		r = args_add_n(ret, e->options.words[i], strlen(e->options.words[i]));
	return r;
}

/* rpm-ostree kargs --append-if-missing=A --delete-if-present=B; heap, NULL terminated. */
static char **command(const struct args *append, const struct args *delete)
{
	char **argv = calloc(append->n + delete->n + 3, sizeof(*argv));
	size_t n = 0;
	bool good = argv != NULL;

	if (!good)
		return NULL;
	argv[n++] = strdup("rpm-ostree");
	argv[n++] = strdup("kargs");
	good = argv[0] && argv[1];
	for (size_t i = 0; i < append->n && good; i++)
		good = asprintf(&argv[n++], "--append-if-missing=%s", append->words[i]) >=
		       0;
	for (size_t i = 0; i < delete->n && good; i++)
		good = asprintf(&argv[n++], "--delete-if-present=%s", delete->words[i]) >=
		       0;
	if (!good) {
		for (size_t i = 0; i + 1 < n; i++)
			free(argv[i]);
		free(argv);
		return NULL;
	}
	return argv;
}

static void finish_command(char ***argv)
{
	for (char **w = *argv; w && *w; w++)
		free(*w);
	free(*argv);
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	ARGS_OWNED struct args now = { 0 }, missing = { 0 }, other = { 0 }, there = { 0 };
	__attribute__((cleanup(finish_command))) char **argv = NULL, **undo = NULL;
	int r;

	r = show(root, &now);
	if (r < 0)
		boot_at(why, ENTRIES, 0, str_errno(r));
	if (r == 0)
		r = args_without(&missing, add, &now);
	if (r == 0)
		r = args_without(&other, remove, &now);
	if (r == 0)
		r = args_without(&there, remove, &other);
	if (r == 0)
		r = boot_words_plain(&missing, "rpm-ostree", why);
	if (r == 0)
		r = boot_words_plain(&there, "rpm-ostree", why);
	if (r < 0) {
		boot_by_hand(why, "rpm-ostree kargs --editor", add, remove, NULL);
		return r;
	}
	if (!missing.n && !there.n)
		return 0;
	argv = command(&missing, &there);
	undo = command(&there, &missing);
	return argv && undo
		       ? changes_run(changes, N_("make a deployment with these words"),
				     (const char *const *)argv, (const char *const *)undo)
		       : -ENOMEM;
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	BLS_OWNED struct bls bls = { 0 };
	const struct bls_entry *e;
	int r;

	r = bls_read(root, ENTRIES, &bls);
	if (r < 0)
		return r;
	/* the one before stays as it was, to go back to */
	e = newest(&bls);
	if (e)
		return boot_judge(&e->options, e->path, present, absent, why);
	boot_at(why, ENTRIES, 0, _("no deployment was found"));
	return -ENOENT;
}

const struct bootloader bootloader_rpm_ostree = {
	.name = "rpm-ostree",
	.title = N_("rpm-ostree"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = verify,
};
