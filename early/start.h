/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The first stage, before udev: command line → configuration → scan → identify → plan →
 * record → act → read back.
 */
#pragma once

#include "act.h"
#include "kargs.h"
#include "report.h"
#include "store.h"

#define START_MAX_PARTITIONS 8

/*
 * Shared by the worker, which fills it, and the parent, which reports it; and what settle
 * carries on with (early/state.h). Flat: it is copied as it is.
 */
struct start_state {
	struct report report;
	struct act_log log;
	char uncounted[REPORT_DETAIL_LEN]; /* why this boot is not counted */
	/* of the whole machine, with the drivers that were seen */
	struct report_display displays[REPORT_MAX_DISPLAYS];
	unsigned n_displays;

	bool nothing_new; /* there was nothing to do: what was reported stands */

	/* for settle: */
	bool hold; /* the record is on a partition: functions are held, not bound */
	unsigned max_attempts;
	bool needs_record[CONF_MAX_CLAIMS]; /* would leave no display */
	/* that may hold the record (the first) or the file that switches all off */
	char partitions[START_MAX_PARTITIONS][RECORD_PARTUUID_LEN];
	unsigned n_partitions;

	/* for event: */
	bool settled; /* there is nothing for settle */
	bool awaits[CONF_MAX_CLAIMS]; /* late arrivals of this claim are taken */
	uint64_t words; /* start_words() of this boot */
	unsigned known; /* entries of the log that were there before this event */
};

/* Too large for a stack; nothing in it outlives start_run() but the machine. */
struct start_work {
	struct kargs_choice choice;
	struct conf conf;
	struct machine machine;
	struct plan plan, without_record;
};

struct start {
	struct fs *root;
	struct fs *here; /* for files that the caller named itself */
	const char *config; /* NULL: CONF_PATH below root */
	const char *cmdline; /* NULL: proc/cmdline below root */
	struct module_loader loader;
	struct partition_finder finder; /* for settle */
	bool wait; /* for settle: nobody has waited for disks yet */
	struct pci_address address; /* for event: what came or went */
	bool removed; /* for event: it went */
	const struct report *before; /* for event: what was reported before it */
	int lock; /* of the state; -1: none */
	char release[MACHINE_RELEASE_LEN];
	struct start_state *state;
	struct start_work *work; /* zeroed */
};

/*
 * Reads command line and configuration. Returns 0, or a negative errno with the report's
 * reason set.
 */
int start_read(struct start *start) __attribute__((nonnull, warn_unused_result));

/* A hash of what they say. */
uint64_t start_words(const struct start *start) __attribute__((nonnull));

/* Does all of it; whatever goes wrong ends in the report. */
void start_run(struct start *start) __attribute__((nonnull));

/* Frees what start_run() left in work; a worker that exits has no need to. */
void start_finish(struct start *start) __attribute__((nonnull));

/*
 * Whether there is a claim whose late arrivals are taken: kept only while nothing of it
 * is there.
 */
bool start_awaits(struct start_state *state) __attribute__((nonnull));

/*
 * Half a group is of no use to a guest: gives back what is not claimed, and whole claims
 * that share a group with it. What cannot be given back is appended to `lost`.
 */
void start_undo_halves(struct start *start, struct str *lost) __attribute__((nonnull));

/*
 * Gives back what an abandoned start_run() or settle_run() left half done. What cannot be
 * is named in the report's detail.
 */
void start_recover(struct start *start) __attribute__((nonnull));
