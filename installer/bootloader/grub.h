/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What GRUB's backends share: /etc/default/grub with its drop-ins, and grub.cfg.
 */
#pragma once

#include "boot_files.h"
#include "shell.h"

#define GRUB_DEFAULT "etc/default/grub"
#define GRUB_FOLDER "etc/default/grub.d"
#define GRUB_OURS GRUB_FOLDER "/90-vfio-claim.cfg"
#define GRUB_KEY "GRUB_CMDLINE_LINUX"
/* Which entry of ours was chosen, for GRUB to fill in; and who puts it there. */
#define GRUB_MODE "$vfio_claim_mode"
#define GRUB_MODE_FILE GRUB_FOLDER "/91-vfio-claim-safe.cfg"

extern const char *const grub_keys[]; /* in the order of the line that comes out */

/* The files that grub-mkconfig sources, as planned. */
int grub_load(struct fs *root, const struct changes *changes, bool drop_ins,
	      struct shell *ret, struct shell_problem *problem)
	__attribute__((nonnull(1, 4, 5), warn_unused_result));

/* Says that GRUB's files were found. */
void grub_found(struct fs *root, struct str *evidence) __attribute__((nonnull));

/* The words of all keys, as the files have them now. */
int grub_show(struct fs *root, bool drop_ins, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/* Adds the words that are missing, and takes others out. -EINVAL with the problem. */
typedef int grub_edit_fn(struct shell *shell, const struct args *missing,
			 const struct args *remove, struct shell_problem *problem);

/*
 * Loads, judges and edits the files in memory, `ret_missing` being what was added. Where
 * that fails `why` has the reason and what to do by hand, with `program` behind it.
 */
int grub_edit(struct fs *root, const struct changes *changes, bool drop_ins,
	      const struct args *add, const struct args *remove, grub_edit_fn *edit,
	      const char *program, struct shell *ret, struct args *ret_missing,
	      struct str *why) __attribute__((nonnull, warn_unused_result));

/* The words of all keys. */
int grub_words(const struct shell *shell, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/* Those of `add` that are in none of the keys. */
int grub_missing(const struct shell *shell, const struct args *add, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/* Words that neither the shell's nor GRUB's language would leave as they are: -EINVAL. */
int grub_check(const struct args *add, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* grub.cfg: every entry of this system. */
int grub_verify(struct fs *root, const struct args *present, const struct args *absent,
		struct str *why) __attribute__((nonnull, warn_unused_result));

/* Whether an entry of a claim reaches the kernel; has_entry(), list_entries(). */
int grub_entries(struct fs *root, bool drop_ins, struct str *why)
	__attribute__((nonnull, warn_unused_result));
bool grub_has_entry(struct fs *root, const char *claim) __attribute__((nonnull));
int grub_list_entries(struct fs *root, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/* boot/grub/grub.cfg or boot/grub2/grub.cfg; NULL if neither is there. */
const char *grub_cfg(struct fs *root) __attribute__((nonnull));
