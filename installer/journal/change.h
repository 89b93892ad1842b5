/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a command would do to this machine, before it does any of it: files with their new
 * content, then programs to run. Printed by --dry-run, carried out by the journal.
 */
#pragma once

#include <stdio.h>
#include <sys/types.h>

#include "args.h"
#include "fs.h"

/* What undo does to a file that somebody has edited since. */
enum change_kind {
	CHANGE_FILE, /* it is ours: it goes, and a copy is kept */
	CHANGE_ARGS, /* kernel arguments in somebody's file: those words are taken out */
	CHANGE_CONF, /* /etc/vfio-claim.conf: the claims that we wrote are taken out */
};

#define CHANGE_MAX_SIZE (16 * 1024 * 1024) /* bytes of a file */

struct change {
	char *path; /* relative to the root */
	char *before, *after; /* whole contents, NUL terminated; NULL: no such file */
	size_t before_len, after_len;
	mode_t mode; /* of a file that is made; one that exists keeps its own */
	enum change_kind kind;
	struct args ours; /* ARGS: words we added; CONF: names of claims we wrote */
	const char *owner; /* ARGS: name of the bootloader backend; static */
};

/* A program to run once the files are written, in this order. */
struct step {
	char **argv; /* NULL terminated; argv[0] is looked for in PATH */
	char **undo_argv; /* what takes it back; NULL: running argv again does */
	const char *why; /* static, for people: "rebuild the initramfs of every kernel" */
};

struct changes {
	struct change *files;
	size_t n_files;
	struct step *steps;
	size_t n_steps;
};

void changes_finish(struct changes *changes) __attribute__((nonnull));

/*
 * The file below `root` gets this content; NULL removes it. What is there is read now. A
 * second call for one path builds on the first: its `after` is replaced. Nothing is
 * appended if nothing would change. Returns the change, or NULL (no change was needed:
 * *ret_error is 0) or on error a negative errno in *ret_error: -ELOOP and -EINVAL where
 * a symbolic link or something else than a file stands in its place. The change is valid
 * until the next call.
 */
struct change *changes_put(struct changes *changes, struct fs *root, const char *path,
			   const char *after, mode_t mode, int *ret_error)
	__attribute__((nonnull(1, 2, 3, 6), warn_unused_result));

/* The same for content that may hold NUL bytes. */
struct change *changes_put_bytes(struct changes *changes, struct fs *root,
				 const char *path, const char *after, size_t len,
				 mode_t mode, int *ret_error)
	__attribute__((nonnull(1, 2, 3, 7), warn_unused_result));

/*
 * The planned content of a file, or what it has now if no change names it. Heap, or NULL:
 * there is no such file (*ret_error is 0), or a negative errno as above.
 */
char *changes_content(const struct changes *changes, struct fs *root, const char *path,
		      int *ret_error) __attribute__((nonnull, warn_unused_result));

/*
 * The argv and undo_argv are copied. An equal step that is there already moves to the
 * end. 0 or -ENOMEM.
 */
int changes_run(struct changes *changes, const char *why, const char *const *argv,
		const char *const *undo_argv)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Every file with a unified diff, every program; colour on request. */
void changes_print(const struct changes *changes, FILE *out, bool colour)
	__attribute__((nonnull));

/* What a command line would need to be typed. */
void change_print_words(FILE *out, char *const *words) __attribute__((nonnull));

/*
 * A whole file, NUL terminated: 0 with *ret, which is NULL if there is none, or a
 * negative errno as changes_put() has it.
 */
int change_read(struct fs *root, const char *path, char **ret, size_t *ret_len)
	__attribute__((nonnull, warn_unused_result));
