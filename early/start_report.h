/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the stages tell: plans, claims and functions as they stand in the report.
 */
#pragma once

#include "start.h"

/* What became of a function, and of a claim that is planned or carried out. */
void start_report_function(struct fs *root, const struct machine_function *f,
			   const struct machine *m, struct report_function *ret)
	__attribute__((nonnull));
void start_report_claim(const struct start_state *state, const struct plan_claim *claim,
			struct report_claim *ret) __attribute__((nonnull));

/* Before anything is done: what is still to be done would read as not finished. */
void start_report_plan(struct start *start, const struct machine *m,
		       const struct plan *plan) __attribute__((nonnull));

/* Warns of a function that is not where the configuration says. */
void start_warn_of_move(struct report *report, const struct report_function *f)
	__attribute__((nonnull));

/* Notes the displays of the whole machine, for start_report_displays(). */
void start_list_displays(struct start_state *state, const struct machine *m)
	__attribute__((nonnull));

/* Warns that safe mode cannot come of this boot, and why. */
void start_warn_uncounted(struct start_state *state) __attribute__((nonnull));

/* Warns of the settings that were refused, each once. */
void start_warn_settings(struct start_state *state) __attribute__((nonnull));

/* Reads the drivers of what was touched once more. */
void start_read_back(struct start *start) __attribute__((nonnull));

/* Those that are not on vfio-pci are the host's. */
void start_report_displays(struct start_state *state) __attribute__((nonnull));
