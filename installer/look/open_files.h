/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Who has what open, from /proc. Processes of others are seen by root only.
 */
#pragma once

#include "fs.h"
#include "str.h"

struct open_file {
	const char *pid;
	const char *link; /* leads to the node, whatever name space the process is in */
	const char *target; /* its name there: "/dev/dri/card0" */
};

typedef void open_files_fn(void *arg, const struct open_file *file);

/*
 * Shows every file below /dev that a process has open or mapped. Returns how many
 * processes could not be looked at.
 */
unsigned open_files_each(struct fs *root, open_files_fn *fn, void *arg)
	__attribute__((nonnull(1, 2)));
