/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has what open, from /proc. Processes of others are seen by root only.
 */
#pragma once

#include "fs.h"
#include "str.h"

/* `link` is the descriptor's place below proc/, `target` what it leads to. */
typedef bool open_files_fn(void *arg, const char *link, const char *target);

/*
 * Asks for every open file that lies in /dev. At the first true the answer is true, with
 * "NAME (pid N) has TARGET open" appended to `who`.
 */
bool open_files_find(struct fs *root, open_files_fn *fn, void *arg, struct str *who)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));
