/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first stage: command line → configuration → scan → identify → plan → act → read
 * back.
 */
#pragma once

#include "act.h"
#include "kargs.h"
#include "report.h"

/* Shared by the worker, which fills it, and the parent, which reports it. */
struct start_state {
	struct report report;
	struct act_log log;
};

/* Too large for a stack; nothing in it outlives start_run() but the machine. */
struct start_work {
	struct kargs_choice choice;
	struct conf conf;
	struct machine machine;
	struct plan plan;
};

struct start {
	struct fs *root;
	struct fs *here; /* for files that the caller named itself */
	const char *config; /* NULL: CONF_PATH below root */
	const char *cmdline; /* NULL: proc/cmdline below root */
	struct module_loader loader;
	char release[MACHINE_RELEASE_LEN];
	struct start_state *state;
	struct start_work *work; /* zeroed */
};

/* Does all of it; whatever goes wrong ends in the report. */
void start_run(struct start *start) __attribute__((nonnull));

/* Frees what start_run() left in work; a worker that exits has no need to. */
void start_finish(struct start *start) __attribute__((nonnull));

/*
 * Gives back what an abandoned start_run() left half done. What cannot be is named in the
 * report's detail.
 */
void start_recover(struct start *start) __attribute__((nonnull));
