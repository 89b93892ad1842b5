/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "journal_inside.h"
#include "text.h"

struct apply {
	struct journal *journal;
	const struct changes *changes;
	struct writer writer;
	char *text; /* the journal before */
	size_t n_folders; /* made before */
	struct str *why;
};

/* ---- the ledger learns what is to come, before anything is written */

static int back_up(struct journal *j, const struct change *c, struct ledger_file *file)
{
	unsigned number = 1;
	char path[64];
	int r;

	for (size_t i = 0; i < j->ledger.n_files; i++)
		if (j->ledger.files[i].backup >= number)
			number = j->ledger.files[i].backup + 1;
	r = write_folder(j->root, JOURNAL_BACKUPS, 0700);
	if (r < 0)
		return r;
	journal_backup_path(number, path, sizeof(path));
	/* an old one of this number is a killed run's, and was never in the journal */
	r = write_remove(j->root, path);
	if (r == 0)
		r = write_now(j->root, path, c->before, c->before_len, 0600);
	if (r == 0)
		file->backup = number;
	return r;
}

static int note_new(struct journal *j, const struct change *c, struct ledger_file **ret)
{
	struct ledger_file *file = ledger_add_file(&j->ledger, c->path);
	int r = 0;

	if (!file)
		return -ENOMEM;
	ledger_hash(c->before, c->before_len, file->before);
	if (c->before) {
		r = write_read_meta(j->root, c->path, &file->meta);
		if (r == 0)
			r = back_up(j, c, file);
	}
	*ret = file;
	return r;
}

/*
 * The first original stays what undo goes back to. If it is not what we find, and not
 * what we wrote either, somebody's own words are in it: undo takes ours out one by one.
 */
static int note_file(struct journal *j, const struct change *c)
{
	struct ledger_file *file = ledger_find(&j->ledger, c->path);
	char now[LEDGER_HASH_LEN];
	bool ours = true;
	int r = 0;

	ledger_hash(c->before, c->before_len, now);
	if (!file)
		r = note_new(j, c, &file);
	else if (str_equal(now, file->before))
		file->edited = false;
	else
		ours = str_equal(now, file->after) || str_equal(now, file->previous);
	if (r == 0 && !ours)
		file->edited = true;
	if (r < 0)
		return r;
	/* what somebody else wrote is not ours to overwrite without a copy */
	str_copy(file->previous, sizeof(file->previous), ours ? now : "");
	ledger_hash(c->after, c->after_len, file->after);
	file->kind = c->kind;
	if (c->owner && !(file->owner && str_equal(file->owner, c->owner))) {
		free(file->owner);
		file->owner = strdup(c->owner);
		if (!file->owner)
			return -ENOMEM;
	}
	for (size_t i = 0; r == 0 && i < c->ours.n; i++)
		if (!args_has(&file->ours, c->ours.words[i]))
			r = args_add(&file->ours, c->ours.words[i]);
	if (r == 0)
		r = ledger_add_path(&j->ledger.pending, &j->ledger.n_pending, c->path);
	return r;
}

static int note(struct apply *a)
{
	const struct changes *changes = a->changes;
	struct journal *j = a->journal;
	int r = 0;

	for (size_t i = 0; r == 0 && i < changes->n_files; i++)
		r = note_file(j, &changes->files[i]);
	for (size_t i = 0; r == 0 && i < changes->n_steps; i++)
		r = ledger_add_program(&j->ledger, &changes->steps[i]);
	if (r == 0)
		r = journal_note_folders(j, changes);
	j->ledger.phase = LEDGER_FILES;
	return r == 0 ? journal_save(j) : r;
}

/* ---- and if that fails, all is as before */

/* The ledger is what it was, on the disk, too. */
static int restore_ledger(struct apply *a)
{
	struct journal *j = a->journal;
	char text[256];
	struct str ignored = STR_ON(text);
	struct ledger ledger = { 0 };
	char *now = NULL;
	size_t len;
	int r = 0;

	if (a->text)
		r = ledger_parse(a->text, strlen(a->text), &ledger, &ignored);
	if (r == 0)
		r = change_read(j->root, JOURNAL_FILE, &now, &len);
	if (r < 0) {
		ledger_finish(&ledger);
		return r;
	}
	/* a full disk must not matter where nothing was written */
	if (a->text && now && str_equal(now, a->text))
		r = 0;
	else if (a->text)
		r = write_now(j->root, JOURNAL_FILE, a->text, strlen(a->text), 0600);
	else
		r = write_remove(j->root, JOURNAL_FILE);
	free(now);
	if (r < 0) {
		ledger_finish(&ledger);
		return r;
	}
	/* the folders above the journal itself go when it is closed */
	if (!a->text)
		for (size_t i = 0; r == 0 && i < a->n_folders; i++)
			r = ledger_add_path(&ledger.folders, &ledger.n_folders,
					    j->ledger.folders[i]);
	ledger_finish(&j->ledger);
	j->ledger = ledger;
	free(j->text);
	j->text = a->text;
	a->text = NULL;
	journal_drop_backups(j);
	return r;
}

static int put_back(struct apply *a, const struct staged *s)
{
	const struct change *c = s->change;
	const struct change back = {
		.path = c->path,
		.before = c->after,
		.before_len = c->after_len,
		.after = c->before,
		.after_len = c->before_len,
	};
	struct writer writer = { .root = a->journal->root };
	int r;

	r = write_stage(&writer, &back, s->existed ? &s->meta : NULL);
	if (r == 0)
		r = write_commit(writer.items);
	write_finish(&writer);
	return r;
}

static int roll_back(struct apply *a, int r)
{
	size_t failed = 0;

	for (size_t i = a->writer.n; i-- > 0;) {
		const struct staged *s = &a->writer.items[i];
		const int error = s->committed ? put_back(a, s) : 0;

		if (error < 0) {
			failed++;
			journal_say(a->why, r, _("; /%s could not be put back: %s"),
				    s->change->path, str_errno(error));
		}
	}
	write_finish(&a->writer);
	if (!failed) {
		journal_remove_folders(a->journal, a->n_folders);
		if (restore_ledger(a) == 0)
			return journal_say(a->why, r,
					   _("; every file is as it was before"));
	}
	return journal_say(
		a->why, r,
		_("; mend the cause, then \"vfio-claim undo\" puts back what is "
		  "left"));
}

static int fail(struct apply *a, const char *path, int r)
{
	journal_say(a->why, r, _("/%s cannot be written: %s"), path,
		    r == -ESTALE ? _("somebody else has changed it just now")
				 : str_errno(r));
	return roll_back(a, r);
}

static int write_files(struct apply *a)
{
	const struct changes *changes = a->changes;
	const char *path = JOURNAL_FOLDER;
	int r;

	r = note(a);
	if (r == 0)
		r = journal_make_folders(a->journal, changes);
	for (size_t i = 0; r == 0 && i < changes->n_files; i++) {
		path = changes->files[i].path;
		r = write_stage(&a->writer, &changes->files[i], NULL);
	}
	for (size_t i = 0; r == 0 && i < a->writer.n; i++) {
		path = changes->files[i].path;
		r = write_commit(&a->writer.items[i]);
	}
	if (r < 0)
		return fail(a, path, r);
	for (size_t i = 0; i < a->journal->ledger.n_programs; i++) {
		struct ledger_program *p = &a->journal->ledger.programs[i];

		p->begun = p->begun || !p->done;
	}
	a->journal->ledger.phase = LEDGER_PROGRAMS;
	ledger_free_paths(&a->journal->ledger.pending, &a->journal->ledger.n_pending);
	r = journal_save(a->journal);
	if (r < 0)
		return fail(a, JOURNAL_FILE, r);
	write_finish(&a->writer);
	return 0;
}

static int run_programs(struct apply *a)
{
	struct ledger *ledger = &a->journal->ledger;
	int r;

	for (size_t i = 0; i < ledger->n_programs; i++) {
		struct ledger_program *p = &ledger->programs[i];

		if (p->done)
			continue;
		r = journal_run(a->journal, p->argv, p->why, a->why);
		if (r < 0)
			return journal_say(
				a->why, r,
				_(". The files are written, but it takes this "
				  "program to %s: mend the cause and run the "
				  "same command again, or take everything back "
				  "with \"vfio-claim undo\""),
				_(p->why));
		p->done = true;
	}
	for (size_t i = 0; i < ledger->n_files; i++)
		ledger->files[i].previous[0] = '\0';
	ledger->phase = LEDGER_APPLIED;
	r = journal_save(a->journal);
	if (r < 0) {
		ledger->phase = LEDGER_PROGRAMS;
		return journal_say(a->why, r,
				   _("everything is done, but /%s cannot be written: %s; "
				     "run the same command again"),
				   JOURNAL_FILE, str_errno(r));
	}
	return 0;
}

int journal_apply(struct journal *journal, const struct changes *changes, struct str *why)
{
	struct apply a = {
		.journal = journal,
		.changes = changes,
		.writer = { .root = journal->root },
		.n_folders = journal->ledger.n_folders,
		.why = why,
	};
	int r;

	if (!changes->n_files && !changes->n_steps &&
	    journal_state(journal) != JOURNAL_UNFINISHED)
		return 0;
	r = journal_check_fresh(journal, changes, why);
	if (r < 0)
		return r;
	if (journal->text) {
		a.text = strdup(journal->text);
		if (!a.text)
			return journal_say(why, -ENOMEM, _("there is no memory left"));
	}
	r = write_files(&a);
	if (r == 0)
		r = run_programs(&a);
	free(a.text);
	return r;
}
