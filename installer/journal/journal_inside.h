/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the files of the journal share.
 */
#pragma once

#include "journal.h"
#include "ledger.h"
#include "write.h"

#define JOURNAL_FILE JOURNAL_FOLDER "/journal.json"
#define JOURNAL_BACKUPS JOURNAL_FOLDER "/backups"
#define JOURNAL_LOCK JOURNAL_FOLDER "/lock"

struct journal {
	struct fs *root;
	int lock; /* -1: for reading */
	char *text; /* journal.json as it is on the disk; NULL: there is none */
	struct ledger ledger;
};

/* Appends to `why` and returns r. */
int journal_say(struct str *why, int r, const char *format, ...)
	__attribute__((nonnull(1, 3), format(printf, 3, 4)));

/* The ledger reaches the disk. */
int journal_save(struct journal *journal) __attribute__((nonnull, warn_unused_result));

/* "var/lib/vfio-claim/backups/1" */
void journal_backup_path(unsigned number, char *path, size_t size)
	__attribute__((nonnull));

/*
 * A backup, checked against the hash of the original: 0, -ENOENT, or -EBADMSG if it is
 * damaged.
 */
int journal_backup_read(struct journal *journal, const struct ledger_file *file,
			char **ret, size_t *ret_len)
	__attribute__((nonnull, warn_unused_result));

/* Removes copies that no entry needs. */
void journal_drop_backups(struct journal *journal) __attribute__((nonnull));

/* Notes every folder that the changes need and that is missing; makes them. */
int journal_note_folders(struct journal *journal, const struct changes *changes)
	__attribute__((nonnull, warn_unused_result));
int journal_make_folders(struct journal *journal, const struct changes *changes)
	__attribute__((nonnull, warn_unused_result));
/* Removes those that are empty, from number `from` on. */
void journal_remove_folders(struct journal *journal, size_t from)
	__attribute__((nonnull));

/* 0, or -ESTALE and the like with `why` naming the file. */
int journal_check_fresh(struct journal *journal, const struct changes *changes,
			struct str *why) __attribute__((nonnull, warn_unused_result));

/* Runs it, or says that it would; 0 or a negative errno with `why`. */
int journal_run(struct journal *journal, char *const *argv, const char *step,
		struct str *why) __attribute__((nonnull, warn_unused_result));
