/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Counting a boot before anything is bound.
 */
#pragma once

#include "start.h"

/*
 * For a plan that claims something: finds out where boots are counted, counts this one if
 * that is an EFI variable, and refuses what the record does not allow. Fills
 * report.record, and state.hold where the record has to wait for the boot partition.
 */
void count_start(struct start *start) __attribute__((nonnull));

/* Notes the partitions that settle is to look at. */
void count_list_partitions(struct start *start) __attribute__((nonnull));

/* Marks the claims that would leave no display if boots could not be counted. */
void count_mark_needs(struct start *start) __attribute__((nonnull));

enum count {
	COUNT_DONE, /* counted, or confirmed */
	COUNT_SAFE_MODE, /* the attempts are used up */
	COUNT_UNREADABLE, /* what it would say is not known */
	COUNT_UNWRITABLE, /* it would have allowed this boot, but cannot count it */
};

/*
 * Looks this boot up in an open store and, with `count`, counts it where it is not
 * confirmed. *ret_error is the errno of the last two.
 */
enum count count_in(struct store *store, unsigned max_attempts, bool count,
		    struct record *record, int *ret_error)
	__attribute__((nonnull, warn_unused_result));

/* Says in words what is wrong with a record. */
void count_explain(struct str *s, const struct record *record, int error)
	__attribute__((nonnull));
