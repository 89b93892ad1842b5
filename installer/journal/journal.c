/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "journal_inside.h"
#include "run.h"
#include "text.h"

#define LOCK_TRIES 16

int journal_say(struct str *why, int r, const char *format, ...)
{
	char text[1200];
	va_list args;

	va_start(args, format);
	vsnprintf(text, sizeof(text), format, args);
	va_end(args);
	str_add(why, text);
	return r;
}

/* ---- the folder and the lock */

static int add_folder(void *arg, const char *path)
{
	struct ledger *ledger = arg;

	return ledger_add_path(&ledger->folders, &ledger->n_folders, path);
}

static int make_folder(struct journal *j)
{
	int r;

	r = write_missing(j->root, JOURNAL_FILE, add_folder, &j->ledger);
	for (size_t i = 0; r == 0 && i < j->ledger.n_folders; i++) {
		const char *path = j->ledger.folders[i];

		r = write_folder(j->root, path,
				 str_equal(path, JOURNAL_FOLDER) ? 0700 : 0755);
	}
	return r;
}

/* The one before us may have removed the file between our open() and our lock. */
static bool is_there(struct journal *j, int fd)
{
	struct stat ours, theirs;
	int other = fs_open(j->root, JOURNAL_LOCK, O_PATH | O_NOFOLLOW, 0);
	bool same;

	if (other < 0)
		return false;
	same = fstat(fd, &ours) == 0 && fstat(other, &theirs) == 0 &&
	       ours.st_dev == theirs.st_dev && ours.st_ino == theirs.st_ino;
	close(other);
	return same;
}

static int take_lock(struct journal *j)
{
	int fd, r;

	for (int i = 0; i < LOCK_TRIES; i++) {
		r = make_folder(j);
		if (r < 0)
			return r;
		fd = fs_open(j->root, JOURNAL_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW, 0600);
		if (fd == -ENOENT)
			continue;
		if (fd < 0)
			return fd;
		if (flock(fd, LOCK_EX | LOCK_NB) < 0) {
			r = errno == EWOULDBLOCK ? -EAGAIN : -errno;
			close(fd);
			return r;
		}
		if (is_there(j, fd)) {
			j->lock = fd;
			return 0;
		}
		close(fd);
	}
	return -EAGAIN;
}

static int lock_failed(int r, struct str *why)
{
	if (r == -EAGAIN)
		return journal_say(why, r,
				   _("another vfio-claim is changing this machine; wait "
				     "for it to end, then try again"));
	if (r == -EACCES || r == -EPERM)
		return journal_say(why, r,
				   _("/%s cannot be written: only root may do that"),
				   JOURNAL_FOLDER);
	return journal_say(why, r, _("/%s cannot be written: %s; nothing was changed"),
			   JOURNAL_FOLDER, str_errno(r));
}

/* ---- what is in it */

/* It names programs that root will run: nobody else may have written it. */
static int check_owner(struct journal *j, const char *path, struct str *why)
{
	struct stat st;
	int fd = fs_open(j->root, path, O_PATH | O_NOFOLLOW, 0), r = 0;

	if (fd < 0)
		return fd;
	if (fstat(fd, &st) < 0)
		r = -errno;
	else if (S_ISLNK(st.st_mode))
		r = journal_say(why, -EPROTO, _("it is a symbolic link"));
	else if (st.st_uid != 0 && st.st_uid != geteuid())
		r = journal_say(why, -EPROTO, _("it must belong to root"));
	else if (st.st_mode & (S_IWGRP | S_IWOTH))
		r = journal_say(why, -EPROTO, _("others may write it"));
	close(fd);
	return r;
}

static int load(struct journal *j, struct str *why)
{
	size_t len = 0;
	int r;

	r = check_owner(j, JOURNAL_FOLDER, why);
	if (r == 0)
		r = check_owner(j, JOURNAL_FILE, why);
	if (r == -ENOENT)
		return 0;
	if (r == 0)
		r = change_read(j->root, JOURNAL_FILE, &j->text, &len);
	if (r == 0 && j->text) {
		struct ledger made = j->ledger;

		r = ledger_parse(j->text, len, &j->ledger, why);
		if (r == 0)
			ledger_finish(&made);
	}
	return r == -EINVAL ? -EPROTO : r;
}

static int load_failed(int r, const char *detail, struct str *why)
{
	if (r == -EPROTO)
		return journal_say(why, r,
				   _("/%s is damaged (%s), so nothing was changed. The "
				     "files as they were before are in /%s: put back by "
				     "hand what you need, then move the folder /%s away"),
				   JOURNAL_FILE, *detail ? detail : _("it is no file"),
				   JOURNAL_BACKUPS, JOURNAL_FOLDER);
	if (r == -EACCES)
		return journal_say(why, r, _("/%s cannot be read: only root may do that"),
				   JOURNAL_FILE);
	return journal_say(why, r, _("/%s cannot be read: %s"), JOURNAL_FILE,
			   str_errno(r));
}

/* What a killed run left. */
static void clean(struct journal *j)
{
	write_clean(j->root, JOURNAL_FILE);
	for (size_t i = 0; i < j->ledger.n_pending; i++)
		write_clean(j->root, j->ledger.pending[i]);
	journal_drop_backups(j);
}

int journal_open(struct fs *root, bool change, struct journal **ret, struct str *why)
{
	struct journal *j;
	char text[256];
	struct str detail = STR_ON(text);
	int r;

	r = ledger_ready(why);
	if (r < 0)
		return r;
	j = calloc(1, sizeof(*j));
	if (!j)
		return journal_say(why, -ENOMEM, _("there is no memory left"));
	j->root = root;
	j->lock = -1;
	if (change)
		r = take_lock(j);
	if (r < 0) {
		lock_failed(r, why);
	} else {
		r = load(j, &detail);
		if (r < 0)
			load_failed(r, text, why);
		else if (change)
			clean(j);
	}
	if (r < 0) {
		/* what is damaged is not ours to remove */
		if (j->lock >= 0 && !j->text)
			j->text = strdup("");
		journal_close(j);
		return r;
	}
	*ret = j;
	return 0;
}

void journal_close(struct journal *journal)
{
	if (!journal)
		return;
	if (journal->lock >= 0 && !journal->text) {
		write_remove_folder(journal->root, JOURNAL_BACKUPS);
		write_remove(journal->root, JOURNAL_LOCK);
		write_remove_folder(journal->root, JOURNAL_FOLDER);
		journal_remove_folders(journal, 0);
	}
	if (journal->lock >= 0)
		close(journal->lock);
	free(journal->text);
	ledger_finish(&journal->ledger);
	free(journal);
}

enum journal_state journal_state(const struct journal *journal)
{
	if (!journal->text)
		return JOURNAL_NONE;
	return journal->ledger.phase == LEDGER_APPLIED ? JOURNAL_APPLIED
						       : JOURNAL_UNFINISHED;
}

int journal_save(struct journal *journal)
{
	char *text = ledger_print(&journal->ledger);
	int r;

	if (!text)
		return -ENOMEM;
	r = write_now(journal->root, JOURNAL_FILE, text, strlen(text), 0600);
	if (r < 0) {
		free(text);
		return r;
	}
	free(journal->text);
	journal->text = text;
	return 0;
}

/* ---- backups */

void journal_backup_path(unsigned number, char *path, size_t size)
{
	struct str s;

	str_init(&s, path, size);
	str_add(&s, JOURNAL_BACKUPS "/");
	str_add_uint(&s, number);
}

int journal_backup_read(struct journal *journal, const struct ledger_file *file,
			char **ret, size_t *ret_len)
{
	char path[64], hash[LEDGER_HASH_LEN];
	int r;

	journal_backup_path(file->backup, path, sizeof(path));
	r = change_read(journal->root, path, ret, ret_len);
	if (r < 0)
		return r;
	if (!*ret)
		return -ENOENT;
	ledger_hash(*ret, *ret_len, hash);
	if (str_equal(hash, file->before))
		return 0;
	free(*ret);
	*ret = NULL;
	return -EBADMSG;
}

static int drop_backup(void *arg, const char *name)
{
	struct journal *j = arg;
	char path[512], mine[64];
	struct str s = STR_ON(path);

	str_join(&s, JOURNAL_BACKUPS "/", name, NULL);
	for (size_t i = 0; i < j->ledger.n_files; i++) {
		journal_backup_path(j->ledger.files[i].backup, mine, sizeof(mine));
		if (str_equal(path, mine))
			return 0;
	}
	if (!s.cut)
		(void)j->root->ops->remove(j->root, path);
	return 0;
}

void journal_drop_backups(struct journal *journal)
{
	(void)journal->root->ops->list(journal->root, JOURNAL_BACKUPS, drop_backup,
				       journal);
}

/* ---- folders */

int journal_note_folders(struct journal *journal, const struct changes *changes)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < changes->n_files; i++)
		if (changes->files[i].after)
			r = write_missing(journal->root, changes->files[i].path,
					  add_folder, &journal->ledger);
	return r;
}

static int make_missing(void *arg, const char *path)
{
	return write_folder(arg, path, 0755);
}

int journal_make_folders(struct journal *journal, const struct changes *changes)
{
	int r = 0;

	for (size_t i = 0; r == 0 && i < changes->n_files; i++)
		if (changes->files[i].after)
			r = write_missing(journal->root, changes->files[i].path,
					  make_missing, journal->root);
	return r;
}

void journal_remove_folders(struct journal *journal, size_t from)
{
	for (size_t i = journal->ledger.n_folders; i-- > from;)
		write_remove_folder(journal->root, journal->ledger.folders[i]);
}

/* ---- what apply and undo share */

int journal_check_fresh(struct journal *journal, const struct changes *changes,
			struct str *why)
{
	for (size_t i = 0; i < changes->n_files; i++) {
		const struct change *c = &changes->files[i];
		size_t len;
		char *now;
		bool same;
		int r;

		r = change_read(journal->root, c->path, &now, &len);
		if (r < 0)
			return journal_say(why, r,
					   _("/%s cannot be used: %s; nothing was "
					     "changed"),
					   c->path, str_errno(r));
		same = now && c->before
			       ? len == c->before_len && memcmp(now, c->before, len) == 0
			       : !now && !c->before;
		free(now);
		if (!same)
			return journal_say(why, -ESTALE,
					   _("/%s was changed by somebody else just now; "
					     "nothing was written. Try again"),
					   c->path);
	}
	return 0;
}

int journal_run(struct journal *journal, char *const *argv, const char *step,
		struct str *why)
{
	int r;

	if (journal->root->captured) {
		fputs(_("would run: "), stderr);
		change_print_words(stderr, argv);
		fputc('\n', stderr);
		return 0;
	}
	fprintf(stderr, "vfio-claim: ");
	change_print_words(stderr, argv);
	fputc('\n', stderr);
	r = run_program(argv, step);
	if (r < 0)
		return journal_say(why, r, _("%s cannot be run: %s"), argv[0],
				   str_errno(r));
	if (r > 128)
		return journal_say(why, -EIO, _("%s was killed by signal %d"), argv[0],
				   r - 128);
	if (r > 0)
		return journal_say(why, -EIO, _("%s failed with exit status %d"), argv[0],
				   r);
	return 0;
}
