/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Files of shell assignments (/etc/default/grub, dracut.conf), sourced one after another:
 * what a variable ends up as, and taking words out of it or adding some without touching
 * anything else. Strict: what we are not sure of is refused.
 */
#pragma once

#include "line.h"

#define SHELL_MARK "by vfio-claim"

struct shell_file {
	char *path; /* relative to the root */
	char *before; /* NULL: there is none yet */
	char *text;
};

struct shell_assign {
	char *name;
	size_t file;
	unsigned line;
	size_t begin; /* where the name stands */
	size_t insert; /* where more of the value can be written */
	char quote; /* and between which quotes; '\0': none */
	bool append; /* += */
	bool nested; /* in an if, a function and the like: it may never be reached */
	struct glyphs value;
};

struct shell {
	const char *const *keys; /* of interest, NULL terminated */
	bool bash; /* += is known */
	struct shell_file *files;
	size_t n_files;
	struct shell_assign *assigns;
	size_t n_assigns;
	/* a program that may set anything: file and line; line 0: none */
	size_t unsure_file;
	unsigned unsure_line;
};

struct shell_problem {
	const char *path; /* NULL: none. Lives as long as the shell */
	unsigned line;
	const char *reason; /* static, translated */
};

void shell_finish(struct shell *shell) __attribute__((nonnull));
#define SHELL_OWNED __attribute__((cleanup(shell_finish)))

/* `text` is taken, on failure too; NULL: an empty file that does not exist. */
int shell_add_file(struct shell *shell, const char *path, char *text)
	__attribute__((nonnull(1, 2), warn_unused_result));

/* After the last file, and after each change of a text. -EPROTO with the problem. */
int shell_parse(struct shell *shell, struct shell_problem *problem)
	__attribute__((nonnull, warn_unused_result));

/*
 * The words of a variable at the end. What cannot be known is one character \1.
 * 0, -EFBIG or -ENOMEM.
 */
int shell_words(const struct shell *shell, const char *key, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/* The assignment that counts, or NULL. */
const struct shell_assign *shell_last(const struct shell *shell, const char *key)
	__attribute__((nonnull));

/* 0, -EINVAL with the problem, or -ENOMEM; then the shell is only good to be finished. */
int shell_remove(struct shell *shell, const char *key, const struct args *remove,
		 struct shell_problem *problem)
	__attribute__((nonnull, warn_unused_result));

/*
 * Adds words to the last assignment of this file; if nothing sets it anywhere, a line at
 * the file's end with a comment, which goes again with its last word.
 */
int shell_append(struct shell *shell, const char *key, size_t file,
		 const struct args *add, struct shell_problem *problem)
	__attribute__((nonnull, warn_unused_result));

/*
 * Whether a variable now has `add`, anywhere in it, and the others as they are in
 * `before`. 0, -EINVAL with the problem, or -ENOMEM.
 */
int shell_compare(const struct shell *shell, const char *key, const struct args *before,
		  const struct args *add, struct shell_problem *problem)
	__attribute__((nonnull, warn_unused_result));

/* shell_parse.c: the assignments of one file, appended. */
int shell_parse_file(struct shell *shell, size_t file, struct shell_problem *problem)
	__attribute__((nonnull, warn_unused_result));
