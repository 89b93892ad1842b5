/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine as programs to run without libvirt: what has to be there first, then QEMU in
 * the foreground.
 */
#pragma once

#include <stdio.h>

#include "claimed.h"
#include "vm.h"

#define COMMAND_MAX (VM_MAX_LIST + 8)
#define COMMAND_PID "/swtpm.pid" /* in the TPM's folder */

struct command_line {
	char **words; /* ended by NULL */
	size_t n, room;
	const char *why; /* static, to be translated: what it does */
	char *unless; /* a file: not run if it is there; NULL: always run */
};

struct command_lines {
	struct command_line lines[COMMAND_MAX]; /* the last is QEMU */
	size_t n;
	bool failed; /* no memory */
};

/* Returns 0 or -ENOMEM; on success the caller calls command_lines_finish(). */
int command_lines_make(const struct vm *vm, const struct claimed *claimed,
		       struct command_lines *ret)
	__attribute__((nonnull, warn_unused_result));
/* Only those that make its new disks. */
int command_lines_disks(const struct vm *vm, struct command_lines *ret)
	__attribute__((nonnull, warn_unused_result));
void command_lines_finish(struct command_lines *lines) __attribute__((nonnull));

/* As a shell script, each option on a line of its own. */
void command_lines_print(FILE *out, const struct command_lines *lines)
	__attribute__((nonnull));

/* One of them without its condition, on one line. */
void command_line_print(FILE *out, const struct command_line *line)
	__attribute__((nonnull));

/* For qemu.c: a word, and "-option" with its value. */
void command_begin(struct command_lines *lines, const char *why, const char *unless)
	__attribute__((nonnull(1, 2)));
void command_add(struct command_lines *lines, const char *format, ...)
	__attribute__((nonnull, format(printf, 2, 3)));
void command_option(struct command_lines *lines, const char *option, const char *format,
		    ...) __attribute__((nonnull, format(printf, 3, 4)));
/* "key=value" behind the last word, with QEMU's doubled commas. */
void command_value(struct command_lines *lines, const char *key, const char *value)
	__attribute__((nonnull));

/* qemu.c: QEMU's own words, behind its name. */
void qemu_add(struct command_lines *lines, const struct vm *vm,
	      const struct claimed *claimed) __attribute__((nonnull));
