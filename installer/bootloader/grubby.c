/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Fedora and its kin: entries of the Boot Loader Specification, which GRUB reads, kept by
 * grubby. It writes /etc/kernel/cmdline and /etc/default/grub for kernels to come, too.
 */
#include <errno.h>
#include <stdio.h>

#include "backends.h"
#include "bls.h"

#define ENTRIES "boot/loader/entries"

static bool probe(struct fs *root, struct str *evidence)
{
	char name[64];
	const enum boot_started started = boot_started(root, name, sizeof(name));

	if (!boot_exists(root, "usr/sbin/grubby") && !boot_exists(root, "usr/bin/grubby"))
		return false;
	if (!boot_exists(root, ENTRIES) ||
	    (started != BOOT_GRUB && started != BOOT_UNKNOWN && started != BOOT_OTHER))
		return false;
	boot_found(evidence, ENTRIES);
	return true;
}

static bool is_rescue(const struct bls_entry *e)
{
	return strstr(e->id, "-0-rescue") != NULL;
}

static int show(struct fs *root, struct args *ret)
{
	BLS_OWNED struct bls bls = { 0 };
	const struct bls_entry *newest = NULL;
	int r;

	r = bls_read(root, ENTRIES, &bls);
	if (r < 0)
		return r;
	for (size_t i = 0; i < bls.n; i++)
		if (!is_rescue(&bls.entries[i]) &&
		    (!newest || strverscmp(newest->id, bls.entries[i].id) < 0))
			newest = &bls.entries[i];
	for (size_t i = 0; newest && i < newest->options.n && r == 0; i++)
		r = args_add_n(ret, newest->options.words[i],
			       strlen(newest->options.words[i]));
	return newest ? r : -ENOENT;
}

/*
 * grubby replaces KEY=OLD where KEY=NEW is added, and takes every KEY=... out for a bare
 * KEY: we change exact words only.
 */
static int check_keys(const struct args *now, const struct args *words, bool bare,
		      struct str *why)
{
	for (size_t i = 0; i < words->n; i++) {
		const char *w = words->words[i];
		const size_t n = strcspn(w, "=");

		if (bare == (w[n] == '='))
			continue;
		for (size_t k = 0; k < now->n; k++) {
			char clean[256];

			if (strncmp(now->words[k], w, n) != 0 ||
			    now->words[k][n] != '=' || args_same(now->words[k], w))
				continue;
			text_clean(clean, sizeof(clean), now->words[k]);
			str_join(why, "grubby ", _("would take this word away, too:"),
				 " ", clean, NULL);
			return -EINVAL;
		}
	}
	return 0;
}

static int run(struct changes *changes, const char *option, const char *undo_option,
	       const struct args *words)
{
	TEXT_OWNED char *joined = args_join(words), *change = NULL, *back = NULL;
	const char *argv[] = { "grubby", "--update-kernel=ALL", NULL, NULL };
	const char *undo[] = { "grubby", "--update-kernel=ALL", NULL, NULL };

	if (!joined || asprintf(&change, "%s=%s", option, joined) < 0)
		return -ENOMEM;
	if (asprintf(&back, "%s=%s", undo_option, joined) < 0)
		return -ENOMEM;
	argv[2] = change;
	undo[2] = back;
	return changes_run(changes, N_("change the entries of every kernel"), argv, undo);
}

/* What some entry lacks, what some entry has, and every word there is. */
static int compare(const struct bls *bls, const struct args *add,
		   const struct args *remove, struct args *missing, struct args *there,
		   struct args *all)
{
	int r = 0;

	for (size_t i = 0; i < bls->n && r == 0; i++) {
		ARGS_OWNED struct args lacks = { 0 }, other = { 0 }, has = { 0 };
		const struct args *now = &bls->entries[i].options;

		r = args_without(&lacks, add, now);
		if (r == 0)
			r = args_without(&other, remove, now);
		if (r == 0)
			r = args_without(&has, remove, &other);
		if (r == 0)
			r = args_copy(missing, &lacks);
		if (r == 0)
			r = args_copy(there, &has);
		if (r == 0)
			r = args_copy(all, now);
	}
	return r;
}

static int plan(struct fs *root, const struct args *add, const struct args *remove,
		struct changes *changes, struct str *why)
{
	ARGS_OWNED struct args missing = { 0 }, there = { 0 }, all = { 0 };
	BLS_OWNED struct bls bls = { 0 };
	int r;

	r = bls_read(root, ENTRIES, &bls);
	if (r < 0 || !bls.n) {
		r = r < 0 ? r : -ENOENT;
		boot_at(why, ENTRIES, 0, str_errno(r));
		return r;
	}
	r = compare(&bls, add, remove, &missing, &there, &all);
	if (r == 0)
		r = boot_words_plain(&missing, "grubby", why);
	if (r == 0)
		r = boot_words_plain(&there, "grubby", why);
	if (r == 0)
		r = check_keys(&all, &missing, false, why);
	if (r == 0)
		r = check_keys(&all, &there, true, why);
	if (r < 0) {
		boot_by_hand(why, "/" ENTRIES, add, remove, NULL);
		return r;
	}
	if (there.n)
		r = run(changes, "--remove-args", "--args", &there);
	if (r == 0 && missing.n)
		r = run(changes, "--args", "--remove-args", &missing);
	return r;
}

static int verify(struct fs *root, const struct args *present, const struct args *absent,
		  struct str *why)
{
	BLS_OWNED struct bls bls = { 0 };
	int r;

	r = bls_read(root, ENTRIES, &bls);
	for (size_t i = 0; i < bls.n && r == 0; i++)
		if (bls.entries[i].is_linux)
			r = boot_judge(&bls.entries[i].options, bls.entries[i].path,
				       present, absent, why);
	if (r == 0 && !bls.n) {
		boot_at(why, ENTRIES, 0, _("it has no entries"));
		r = -ENOENT;
	}
	return r;
}

const struct bootloader bootloader_grubby = {
	.name = "grubby",
	.title = N_("GRUB with Boot Loader Specification entries, by grubby"),
	.probe = probe,
	.show = show,
	.plan = plan,
	.verify = verify,
};
