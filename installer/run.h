/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The one place that starts programs: with their words as they are, never a shell.
 */
#pragma once

#include "fs.h"

/*
 * Runs a program to its end. Its output goes to stderr, its input is empty. PATH is
 * completed with the system's folders: a root shell of "su" has no /sbin. What takes
 * longer than 2 s is named on stderr; `why` says for people what it does. Returns its
 * exit status, 128 plus the number of the signal that killed it, or a negative errno if
 * it cannot be started: -ENOENT, there is no such program.
 */
int run_program(char *const *argv, const char *why)
	__attribute__((nonnull, warn_unused_result));
