/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "boot_files.h"
#include "claims.h"
#include "journal_inside.h"
#include "text.h"

#define SAVE_SUFFIX ".vfio-claim-save"
#define MAX_SAVES 100

journal_loader_fn *journal_loader = bootloader_named;

struct undo {
	struct journal *journal;
	struct changes *changes;
	struct str *notes;
};

/* A file as it is now. */
struct present {
	char *text; /* NULL: there is none */
	size_t len;
	char hash[LEDGER_HASH_LEN];
};

static int put(struct undo *u, const char *path, const char *text, size_t len,
	       mode_t mode)
{
	int r;

	(void)!changes_put_bytes(u->changes, u->journal->root, path, text, len, mode, &r);
	return r;
}

static void join(struct str *s, const struct args *words)
{
	for (size_t i = 0; i < words->n; i++)
		str_join(s, i ? " " : "", words->words[i], NULL);
}

/* ---- copies of what others have written */

/* The first name beside the file that is free. */
static int find_free(struct undo *u, const char *path, char **ret)
{
	char *name;
	int r = 0;

	for (unsigned i = 0; i < MAX_SAVES; i++) {
		char number[16] = "";

		if (i)
			snprintf(number, sizeof(number), ".%u", i);
		if (asprintf(&name, "%s" SAVE_SUFFIX "%s", path, number) < 0)
			return -ENOMEM;
		r = u->journal->root->ops->exists(u->journal->root, name);
		if (r == -ENOENT) {
			*ret = name;
			return 0;
		}
		free(name);
	}
	return r < 0 ? r : -EEXIST;
}

/* What is to be kept goes beside the file; *ret_copy says where, and is freed. */
static int save_copy(struct undo *u, const struct ledger_file *f, const char *text,
		     size_t len, char **ret_copy)
{
	struct meta meta = { .mode = 0600 };
	char *copy;
	int r;

	r = find_free(u, f->path, &copy);
	if (r < 0)
		return r;
	(void)!write_read_meta(u->journal->root, f->path, &meta);
	r = put(u, copy, text, len, meta.mode);
	meta_finish(&meta);
	if (r < 0)
		free(copy);
	else
		*ret_copy = copy;
	return r;
}

/* ---- what is ours is taken out */

static int take_words(struct undo *u, const struct ledger_file *f)
{
	const struct args none = { 0 };
	const struct bootloader *loader = NULL;
	char text[1024], words[1024];
	struct str why = STR_ON(text), list = STR_ON(words);
	int r;

	join(&list, &f->ours);
	if (f->owner)
		loader = journal_loader(f->owner);
	r = loader ? loader->plan(u->journal->root, &none, &f->ours, u->changes, &why)
		   : -ENOENT;
	if (r < 0)
		return journal_say(u->notes, 0,
				   _("/%s was edited since%s%s: take these words out by "
				     "hand: %s\n"),
				   f->path, *text ? ", and " : "", text, words);
	return journal_say(u->notes, 0,
			   _("/%s was edited since: only our words are taken out: %s\n"),
			   f->path, words);
}

static int restore(struct undo *u, const struct ledger_file *f);

static int take_claims(struct undo *u, const struct ledger_file *f,
		       const struct present *now)
{
	char *rest, *copy = NULL;
	bool left;
	int r;

	rest = claims_remove(now->text, &f->ours, &left);
	if (!rest)
		return -ENOMEM;
	if (left) {
		r = put(u, f->path, rest, strlen(rest), f->meta.mode);
		journal_say(
			u->notes, 0,
			_("/%s was edited since: only the claims that setup wrote are "
			  "taken out\n"),
			f->path);
	} else {
		r = save_copy(u, f, now->text, now->len, &copy);
		if (r == 0)
			journal_say(u->notes, 0,
				    _("/%s was edited since and holds no other claim: it "
				      "is kept as /%s\n"),
				    f->path, copy);
		if (r == 0)
			r = restore(u, f);
	}
	free(copy);
	free(rest);
	return r;
}

/* ---- or the original comes back */

static int restore(struct undo *u, const struct ledger_file *f)
{
	char *text;
	size_t len;
	int r;

	if (!*f->before)
		return put(u, f->path, NULL, 0, 0);
	r = journal_backup_read(u->journal, f, &text, &len);
	if (r == 0)
		r = put(u, f->path, text, len, f->meta.mode);
	else if (r == -ENOENT || r == -EBADMSG)
		return journal_say(u->notes, 0,
				   _("/%s stays as it is: its backup is %s; look through "
				     "it by hand\n"),
				   f->path, r == -ENOENT ? _("gone") : _("damaged"));
	else
		return r;
	free(text);
	return r;
}

/* What cannot be read just now is not lost: undo fails, and can be run again. */
static bool is_lost(int r)
{
	return r == -ENOENT || r == -EBADMSG;
}

/* 0, or as journal_backup_read() */
static int check_backup(struct undo *u, const struct ledger_file *f)
{
	size_t len;
	char *text;
	int r;

	if (!*f->before)
		return 0;
	r = journal_backup_read(u->journal, f, &text, &len);
	if (r == 0)
		free(text);
	return r;
}

/* A file that we made of what the kernel ran with, while it runs with our words. */
static bool is_seed(struct undo *u, const struct ledger_file *f)
{
	struct fs *root = u->journal->root;
	ARGS_OWNED struct args running = { 0 };
	const struct bootloader *loader;
	bool any = false;

	if (f->kind != CHANGE_ARGS || *f->before || !f->owner)
		return false;
	loader = journal_loader(f->owner);
	if (!loader || !loader->takes_running || !loader->takes_running(root) ||
	    boot_seed(root, &running) < 0)
		return false;
	for (size_t i = 0; i < f->ours.n; i++)
		any |= args_has(&running, f->ours.words[i]);
	return any;
}

static int keep_seed(struct undo *u, const struct ledger_file *f)
{
	const struct args none = { 0 };
	char text[1024];
	struct str why = STR_ON(text);
	int r;

	r = journal_loader(f->owner)->plan(u->journal->root, &none, &f->ours, u->changes,
					   &why);
	if (r < 0)
		return restore(u, f);
	return journal_say(
		u->notes, 0,
		_("/%s stays, without our words: the running kernel's, which has "
		  "them, would be taken without it\n"),
		f->path);
}

static int undo_edited(struct undo *u, const struct ledger_file *f,
		       const struct present *now)
{
	char *text, *copy;
	size_t len;
	int r;

	if (f->kind == CHANGE_ARGS && f->ours.n)
		return take_words(u, f);
	if (f->kind == CHANGE_CONF && f->ours.n)
		return take_claims(u, f, now);
	if (*f->after) {
		r = save_copy(u, f, now->text, now->len, &copy);
		if (r < 0)
			return r;
		journal_say(u->notes, 0,
			    _("/%s was edited since: what it is now is kept as /%s\n"),
			    f->path, copy);
		free(copy);
		return restore(u, f);
	}
	/* we removed it, and somebody made another one */
	r = journal_backup_read(u->journal, f, &text, &len);
	if (r < 0 && !is_lost(r))
		return r;
	if (r < 0)
		return journal_say(u->notes, 0, _("/%s was made anew since: it stays\n"),
				   f->path);
	r = save_copy(u, f, text, len, &copy);
	free(text);
	if (r < 0)
		return r;
	journal_say(u->notes, 0,
		    _("/%s was made anew since: it stays, what it was is in /%s\n"),
		    f->path, copy);
	free(copy);
	return 0;
}

static bool is_ours(struct undo *u, const struct ledger_file *f, const char *hash)
{
	if (f->edited && f->kind != CHANGE_FILE)
		return false;
	if (str_equal(hash, f->after))
		return true;
	return u->journal->ledger.phase != LEDGER_APPLIED && *hash &&
	       str_equal(hash, f->previous);
}

static int undo_file(struct undo *u, const struct ledger_file *f)
{
	struct present now;
	int r;

	r = change_read(u->journal->root, f->path, &now.text, &now.len);
	if (r == -ELOOP || r == -EINVAL || r == -ENOTDIR)
		return journal_say(u->notes, 0, _("/%s is no file any more: it stays\n"),
				   f->path);
	if (r < 0)
		return r;
	ledger_hash(now.text, now.len, now.hash);
	if (str_equal(now.hash, f->before)) {
		r = 0;
	} else if (!now.text) {
		journal_say(u->notes, 0, _("/%s is gone: what it was comes back\n"),
			    f->path);
		r = restore(u, f);
	} else if (!is_ours(u, f, now.hash)) {
		r = undo_edited(u, f, &now);
	} else {
		r = f->ours.n ? check_backup(u, f) : 0;
		if (is_lost(r)) {
			journal_say(u->notes, 0,
				    _("the backup of /%s is gone or damaged\n"), f->path);
			r = undo_edited(u, f, &now);
		} else if (r == 0) {
			r = is_seed(u, f) ? keep_seed(u, f) : restore(u, f);
		}
	}
	free(now.text);
	return r;
}

int journal_plan_undo(struct journal *journal, struct changes *ret, struct str *notes,
		      struct str *why)
{
	struct undo u = { .journal = journal, .changes = ret, .notes = notes };
	const struct ledger *ledger = &journal->ledger;
	int r;

	for (size_t i = ledger->n_files; i-- > 0;) {
		r = undo_file(&u, &ledger->files[i]);
		if (r < 0)
			return journal_say(why, r, _("/%s cannot be undone: %s"),
					   ledger->files[i].path, str_errno(r));
	}
	for (size_t i = 0; i < ledger->n_programs; i++) {
		const struct ledger_program *p = &ledger->programs[i];
		char **argv = p->undo_argv ? p->undo_argv : p->argv;

		if (!p->begun)
			continue;
		r = changes_run(ret, p->why, (const char *const *)argv, NULL);
		if (r < 0)
			return journal_say(why, r, _("there is no memory left"));
	}
	return 0;
}

/* ---- carrying it out */

/* Where a file comes back that is not there, it comes back as it was. */
static const struct meta *meta_of(struct journal *j, const struct change *c)
{
	const struct ledger_file *f = ledger_find(&j->ledger, c->path);
	char hash[LEDGER_HASH_LEN];

	if (!f || c->before || !c->after)
		return NULL;
	ledger_hash(c->after, c->after_len, hash);
	return str_equal(hash, f->before) ? &f->meta : NULL;
}

static int begin(struct journal *j, const struct changes *changes)
{
	struct ledger *ledger = &j->ledger;
	int r = 0;

	ledger->phase = LEDGER_UNDO;
	for (size_t i = 0; r == 0 && i < changes->n_files; i++)
		r = ledger_add_path(&ledger->pending, &ledger->n_pending,
				    changes->files[i].path);
	for (size_t i = 0; i < ledger->n_programs; i++)
		ledger->programs[i].done = false;
	return r < 0 ? r : journal_save(j);
}

static int write_files(struct journal *j, const struct changes *changes, struct str *why)
{
	struct writer writer = { .root = j->root };
	const char *path = JOURNAL_FILE;
	int r;

	r = begin(j, changes);
	if (r == 0)
		r = journal_make_folders(j, changes);
	for (size_t i = 0; r == 0 && i < changes->n_files; i++) {
		path = changes->files[i].path;
		r = write_stage(&writer, &changes->files[i],
				meta_of(j, &changes->files[i]));
	}
	for (size_t i = 0; r == 0 && i < writer.n; i++) {
		path = changes->files[i].path;
		r = write_commit(&writer.items[i]);
	}
	write_finish(&writer);
	if (r == -ESTALE)
		return journal_say(why, r,
				   _("/%s was changed by somebody else just now; run "
				     "\"vfio-claim undo\" again"),
				   path);
	if (r < 0)
		return journal_say(why, r,
				   _("/%s cannot be written: %s; mend the cause and run "
				     "\"vfio-claim undo\" again, it goes on from here"),
				   path, str_errno(r));
	return 0;
}

static int run_programs(struct journal *j, const struct changes *changes, struct str *why)
{
	int r;

	for (const struct step *s = changes->steps; s < changes->steps + changes->n_steps;
	     s++) {
		char text[512];
		struct str detail = STR_ON(text);

		r = journal_run(j, s->argv, s->why, &detail);
		/*
		 * what has been removed since has nothing to undo, and no undo could end
		 */
		if (r == -ENOENT) {
			fprintf(stderr,
				_("vfio-claim: %s is not there any more; left out\n"),
				s->argv[0]);
			continue;
		}
		if (r < 0)
			return journal_say(
				why, r,
				_("%s. The files are as they were, but it takes "
				  "this program to %s: mend the cause and run "
				  "\"vfio-claim undo\" again"),
				text, _(s->why));
	}
	return 0;
}

static int forget(struct journal *j, struct str *why)
{
	struct ledger folders = { 0 };
	int r;

	journal_remove_folders(j, 0);
	r = write_remove(j->root, JOURNAL_FILE);
	if (r < 0)
		return journal_say(
			why, r,
			_("everything is undone, but /%s cannot be removed: %s; "
			  "run \"vfio-claim undo\" again"),
			JOURNAL_FILE, str_errno(r));
	free(j->text);
	j->text = NULL;
	/* journal_close() removes them once the journal's own is gone */
	folders.folders = j->ledger.folders;
	folders.n_folders = j->ledger.n_folders;
	j->ledger.folders = NULL;
	j->ledger.n_folders = 0;
	ledger_finish(&j->ledger);
	j->ledger = folders;
	journal_drop_backups(j);
	return 0;
}

int journal_undo(struct journal *journal, const struct changes *changes, struct str *why)
{
	int r;

	if (journal_state(journal) == JOURNAL_NONE)
		return 0;
	r = journal_check_fresh(journal, changes, why);
	if (r == 0)
		r = write_files(journal, changes, why);
	if (r == 0)
		r = run_programs(journal, changes, why);
	return r < 0 ? r : forget(journal, why);
}
