/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one writer of the installer, with its memory in /var/lib/vfio-claim: what was there
 * before, what we made of it, and which programs were run. Whatever kills it, each file
 * is the old one or the new one; running again finishes or undoes.
 */
#pragma once

#include "change.h"
#include "str.h"

#define JOURNAL_FOLDER "var/lib/vfio-claim"

struct journal;

enum journal_state {
	JOURNAL_NONE, /* nothing of ours is on this machine */
	JOURNAL_APPLIED,
	JOURNAL_UNFINISHED, /* something was interrupted */
};

/*
 * With `change` takes the lock that keeps another one out, and makes the folder when it
 * is first written to. Returns 0; -EAGAIN if another one is at work, -EPROTO if the
 * journal is damaged, or another negative errno; `why` says it in words. On success the
 * caller calls journal_close().
 */
int journal_open(struct fs *root, bool change, struct journal **ret, struct str *why)
	__attribute__((nonnull, warn_unused_result));
void journal_close(struct journal *journal);

enum journal_state journal_state(const struct journal *journal) __attribute__((nonnull));

/*
 * Writes every file, then runs every program (below a captured root: prints it instead).
 * Refuses with -ESTALE, before the first write, if a file is no longer as the plan has
 * read it. A file that cannot be written undoes those before it. A program that fails
 * leaves the journal unfinished. Returns 0 or a negative errno with `why`, which says
 * what state the machine is in and what to type.
 */
int journal_apply(struct journal *journal, const struct changes *changes, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * What undo would do, walking back: byte for byte where nobody has edited since,
 * otherwise our own words are taken out. `notes` gets a line for each file that was
 * edited or is gone. Appends to an empty `ret`.
 */
int journal_plan_undo(struct journal *journal, struct changes *ret, struct str *notes,
		      struct str *why) __attribute__((nonnull, warn_unused_result));

/* Carries that out, and forgets: afterwards nothing of the journal is left. */
int journal_undo(struct journal *journal, const struct changes *changes, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* Who takes our words out of an edited file; tests put a stand-in here. */
struct bootloader;
typedef const struct bootloader *journal_loader_fn(const char *name);
extern journal_loader_fn *journal_loader;
