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

/* As struct bootloader has it. */
bool kernel_words_takes_running(struct fs *root) __attribute__((nonnull));

/* Plans the file where without it the running kernel's words would be taken. 0 or a
 * negative errno. */
int kernel_words_keep(struct fs *root, const struct bootloader *owner,
		      struct changes *changes)
	__attribute__((nonnull, warn_unused_result));

/*
 * Plans the edit of a file with one line; one that is absent is seeded with what is used
 * without it, where `seed`. 1 if something changes, 0, or a negative errno with `why`.
 */
int kernel_words_plan(struct fs *root, const char *path, bool seed,
		      const struct bootloader *owner, const struct args *add,
		      const struct args *remove, struct changes *changes, struct str *why)
	__attribute__((nonnull, warn_unused_result));
