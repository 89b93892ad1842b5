/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/kernel/cmdline: one line of kernel arguments.
 */
#pragma once

#include "boot_files.h"

#define KERNEL_CMDLINE "etc/kernel/cmdline"

/* Its words, or what would be taken where there is none. */
int kernel_words_show(struct fs *root, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/* The same of whoever reads its first line and no more. */
int kernel_words_show_first(struct fs *root, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/* As struct bootloader has it. */
bool kernel_words_takes_running(struct fs *root) __attribute__((nonnull));

/*
 * Plans the file where without it the running kernel's words would be taken. 0 or a
 * negative errno.
 */
int kernel_words_keep(struct fs *root, const struct bootloader *owner,
		      struct changes *changes)
	__attribute__((nonnull, warn_unused_result));

enum kernel_words {
	KERNEL_WORDS_JOINED, /* all lines count; without the file others are taken */
	KERNEL_WORDS_FIRST_LINE, /* proxmox-boot-tool: the rest is no option of an entry */
};

/*
 * Plans the edit of a file with one line; one that is absent is seeded with what is used
 * without it, where lines are joined. 1 if something changes, 0, or a negative errno with
 * `why`.
 */
int kernel_words_plan(struct fs *root, const char *path, enum kernel_words how,
		      const struct bootloader *owner, const struct args *add,
		      const struct args *remove, struct changes *changes, struct str *why)
	__attribute__((nonnull, warn_unused_result));
