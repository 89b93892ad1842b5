/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the journal's file holds. It names files that root will write and programs that
 * root will run, so reading it is strict.
 */
#pragma once

#include "change.h"
#include "meta.h"
#include "str.h"

#define LEDGER_HASH_LEN 65 /* SHA-256 in hex; "": no such file */

enum ledger_phase {
	LEDGER_APPLIED,
	LEDGER_FILES, /* files are being written */
	LEDGER_PROGRAMS, /* they are, programs are being run */
	LEDGER_UNDO,
	LEDGER_PHASES,
};

struct ledger_file {
	char *path;
	enum change_kind kind;
	char *owner; /* or NULL */
	struct args ours;
	unsigned backup; /* number of its copy; 0: there was no such file */
	struct meta meta; /* of the original */
	char before[LEDGER_HASH_LEN]; /* the original */
	char after[LEDGER_HASH_LEN]; /* what we wrote last */
	char previous[LEDGER_HASH_LEN]; /* and before that; while unfinished */
	bool edited; /* by somebody between two of ours: its bytes are not all ours */
};

struct ledger_program {
	char **argv, **undo_argv;
	char *why;
	bool begun; /* it may have had its effect */
	bool done;
};

struct ledger {
	enum ledger_phase phase;
	struct ledger_file *files;
	size_t n_files;
	struct ledger_program *programs;
	size_t n_programs;
	char **folders; /* that we made, from the top */
	size_t n_folders;
	char **pending; /* paths that may have a temporary file beside them */
	size_t n_pending;
};

void ledger_finish(struct ledger *ledger) __attribute__((nonnull));

/* 0, -ENOMEM, or -EPROTO with `why`. *ret is valid on success only. */
int ledger_parse(const char *text, size_t len, struct ledger *ret, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* Heap or NULL. */
char *ledger_print(const struct ledger *ledger)
	__attribute__((nonnull, warn_unused_result));

struct ledger_file *ledger_find(const struct ledger *ledger, const char *path)
	__attribute__((nonnull));

/* Appends an empty one. NULL if memory is short. */
struct ledger_file *ledger_add_file(struct ledger *ledger, const char *path)
	__attribute__((nonnull, warn_unused_result));

/* Appends a copy; nothing if it is there, unless it is to run again. */
int ledger_add_program(struct ledger *ledger, const struct step *step)
	__attribute__((nonnull, warn_unused_result));

/* Appends a copy to folders or pending, unless it is there. */
int ledger_add_path(char ***paths, size_t *n, const char *path)
	__attribute__((nonnull, warn_unused_result));
void ledger_free_paths(char ***paths, size_t *n) __attribute__((nonnull));

/* Before the first ledger_hash(): 0, or -ELIBACC with `why`. */
int ledger_ready(struct str *why) __attribute__((nonnull, warn_unused_result));
/* `data` NULL: "" */
void ledger_hash(const char *data, size_t len, char ret[LEDGER_HASH_LEN])
	__attribute__((nonnull(3)));
