/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the backends share: planned files, and the words of a refusal.
 */
#pragma once

#include <stdlib.h>

#include "boot_read.h"
#include "bootloader.h"
#include "shell.h"
#include "text.h"

/*
 * A text file, as planned where `changes` (may be NULL) names it. 0 with *ret, which is
 * NULL if there is none, -EPROTO if it holds a NUL byte, or as changes_content().
 */
int boot_text(struct fs *root, const struct changes *changes, const char *path,
	      char **ret) __attribute__((nonnull(1, 3, 4), warn_unused_result));

/* The running kernel's words less those that a loader adds. 0 or a negative errno. */
int boot_seed(struct fs *root, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/* What follows ENTRIES_ID, if it can be a claim's name and is none yet. 0 or -ENOMEM. */
int boot_add_entry(const char *name, size_t len, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/*
 * Appends kernel-install's run for a kernel. What has modules and no kernel is a
 * leftover: nothing. 0 or a negative errno.
 */
int boot_install(struct fs *root, struct changes *changes, const char *release)
	__attribute__((nonnull, warn_unused_result));

/* "found PATH" */
void boot_found(struct str *evidence, const char *path) __attribute__((nonnull));

/* What to do instead. `then` may be NULL. */
void boot_by_hand(struct str *why, const char *where, const struct args *add,
		  const struct args *remove, const char *then)
	__attribute__((nonnull(1, 2, 3, 4)));

/*
 * Words that no program between us and the kernel may take for something else: without
 * quotes, spaces and $. Names the word in `why`: -EINVAL.
 */
int boot_words_plain(const struct args *words, const char *program, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* One entry against what verify() wants. 0, or -ESTALE with `why` naming `entry`. */
int boot_judge(const struct args *words, const char *entry, const struct args *present,
	       const struct args *absent, struct str *why) __attribute__((nonnull));

/* Puts it, and notes whose words they are. 0 or a negative errno. */
int boot_put(struct changes *changes, struct fs *root, const char *path,
	     const char *after, mode_t mode, const struct bootloader *owner,
	     const struct args *added) __attribute__((nonnull(1, 2, 3, 6, 7)));

/*
 * Reads `first` and, where `folder` is not NULL, its files that end in `suffix`, in their
 * order and as planned, `own` among them even if it is not there yet. `ret` has keys and
 * dialect.
 */
int boot_shell(struct fs *root, const struct changes *changes, const char *first,
	       const char *folder, const char *suffix, const char *own, struct shell *ret,
	       struct shell_problem *problem)
	__attribute__((nonnull(1, 3, 7, 8), warn_unused_result));

/* The first line of files that are ours. */
#define BOOT_HEADER \
	"# Made by vfio-claim; \"vfio-claim args\" and \"vfio-claim undo\" change it.\n"

/*
 * Puts every file of the shell's that has changed. `own` is ours: it has the words
 * `added`, goes when it is empty, and is a file of our making where it begins with
 * BOOT_HEADER.
 */
int boot_put_shell(struct changes *changes, struct fs *root, const struct shell *shell,
		   const char *own, const struct args *added,
		   const struct bootloader *owner) __attribute__((nonnull));
