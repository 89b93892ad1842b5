/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "settle.h"

#include <errno.h>
#include <time.h>

#include "count.h"
#include "driver.h"
#include "start_report.h"
#include "state.h"

/*
 * In all. A disk behind USB may take its time; the rest of the stage's 10 s is for the
 * work.
 */
#define WAIT_MS 7000
#define POLL_MS 100

static void release(struct start *start, struct report_claim *claim, enum reason reason,
		    const char *text)
{
	struct str detail = STR_ON(claim->detail);

	claim->outcome = OUTCOME_KEPT;
	claim->reason = reason;
	str_add(&detail, text);
	(void)!act_release(start->root, &start->loader, &start->state->log, claim->first,
			   &detail);
}

/* Everything that start has bound or held. */
static void release_all(struct start *start, enum reason reason, const char *text)
{
	struct report *report = &start->state->report;

	for (unsigned i = 0; i < report->n_claims; i++)
		if (report->claims[i].outcome != OUTCOME_KEPT)
			release(start, &report->claims[i], reason, text);
	report->outcome = OUTCOME_KEPT;
	report->reason = reason;
	str_copy(report->detail, sizeof(report->detail), text);
}

/* Until it is done, what is held would read as not finished. */
static void mark_unfinished(struct report *report)
{
	for (unsigned i = 0; i < report->n_claims; i++)
		if (report->claims[i].outcome == OUTCOME_HELD) {
			report->claims[i].reason = REASON_DEADLINE;
			str_copy(report->claims[i].detail,
				 sizeof(report->claims[i].detail), "not finished");
		}
}

static void bind_all(struct start *start)
{
	struct report *report = &start->state->report;

	for (unsigned i = 0; i < report->n_claims; i++) {
		struct report_claim *claim = &report->claims[i];
		struct str detail;

		if (claim->outcome != OUTCOME_HELD)
			continue;
		detail = STR_ON(claim->detail);
		act_open(&start->state->log, claim->first);
		claim->reason = act_bind(start->root, &start->loader, &start->state->log,
					 claim->first, &detail);
		claim->outcome =
			claim->reason == REASON_NONE ? OUTCOME_CLAIMED : OUTCOME_KEPT;
	}
}

/* This boot cannot be counted: what leaves the host a display may go on. */
static void go_uncounted(struct start *start, int error)
{
	struct start_state *state = start->state;
	struct report *report = &state->report;
	struct str s = STR_ON(state->uncounted);

	count_explain(&s, &report->record, error);
	for (unsigned i = 0; i < report->n_claims; i++)
		if (report->claims[i].outcome == OUTCOME_HELD && state->needs_record[i])
			release(start, &report->claims[i], REASON_RECORD_UNAVAILABLE,
				"the host would have no display left, and no record can "
				"bring it back; record = none allows that");
	report->record.kind = RECORD_NONE;
	report->record.attempts = 0;
	start_warn_uncounted(state);
	bind_all(start);
}

static void release_unreadable(struct start *start, int error)
{
	char text[REPORT_DETAIL_LEN];
	struct str s = STR_ON(text);

	count_explain(&s, &start->state->report.record, error);
	release_all(start, REASON_RECORD_UNAVAILABLE, text);
}

/* What mounting a medium for writing says that cannot be written; others are broken. */
static bool is_read_only(int error)
{
	return error == -EROFS || error == -EACCES;
}

static enum count count(struct start *start, const struct partition *partition,
			bool writable, int *ret_error)
{
	struct start_state *state = start->state;
	struct store store;
	enum count count;

	*ret_error = store_open_partition(start->root, partition,
					  writable ? MOUNT_WRITE : MOUNT_READ, &store);
	if (*ret_error < 0)
		return writable && is_read_only(*ret_error) ? COUNT_UNWRITABLE
							    : COUNT_UNREADABLE;
	count = count_in(&store, state->max_attempts, writable, &state->report.record,
			 ret_error);
	store_finish(&store);
	/*
	 * It could be mounted for writing, and gives up when it is written: after a power
	 * cut FAT does that at every boot, which would never be counted.
	 */
	if (count == COUNT_UNWRITABLE && *ret_error != -ENOSPC)
		count = COUNT_UNREADABLE;
	return count;
}

/* Where vfio-pci is missing nothing will be bound, and there is nothing to count. */
static bool prepared(struct start *start)
{
	char text[REPORT_DETAIL_LEN];
	struct str detail = STR_ON(text);
	enum reason reason;

	reason = act_prepare(start->root, &start->loader, &start->state->log, &detail);
	if (reason != REASON_NONE)
		release_all(start, reason, text);
	return reason == REASON_NONE;
}

/* Read first, so that a boot that changes nothing writes nothing. */
static void decide(struct start *start, const struct partition *partition)
{
	enum count verdict;
	int error = 0;

	verdict = count(start, partition, false, &error);
	if (verdict == COUNT_DONE) {
		if (!prepared(start))
			return;
		if (!start->state->report.record.confirmed)
			verdict = count(start, partition, true, &error);
	}
	switch (verdict) {
	case COUNT_DONE:
		bind_all(start);
		break;
	case COUNT_SAFE_MODE:
		release_all(start, REASON_SAFE_MODE, PLAN_SAFE_MODE_DETAIL);
		break;
	case COUNT_UNREADABLE:
		release_unreadable(start, error);
		break;
	case COUNT_UNWRITABLE:
		go_uncounted(start, error);
		break;
	}
}

static int find(struct start *start, unsigned i, struct partition *ret)
{
	/* its boot/ is the partition */
	if (start->root->captured)
		return 0;
	return start->finder.find(&start->finder, start->root,
				  start->state->partitions[i], ret);
}

/* `left` ms are for all partitions that are waited for. */
static int wait_for(struct start *start, unsigned i, int *left, struct partition *ret)
{
	const struct timespec pause = { .tv_nsec = POLL_MS * 1000000L };
	int r;

	while ((r = find(start, i, ret)) == -ENOENT && *left > 0) {
		nanosleep(&pause, NULL);
		*left -= POLL_MS;
	}
	return r;
}

static bool has_off_file(struct start *start, const struct partition *partition)
{
	struct store store;
	bool off;

	if (store_open_partition(start->root, partition, MOUNT_LOOK, &store) < 0)
		return false;
	off = store_has_off_file(&store);
	store_finish(&store);
	return off;
}

static bool switched_off(struct start *start, const struct partition *first, int found,
			 int *left)
{
	struct start_state *state = start->state;
	struct partition other = { .device = "" };
	char text[REPORT_DETAIL_LEN];
	struct str s = STR_ON(text);

	for (unsigned i = 0; i < state->n_partitions; i++) {
		const struct partition *p = i ? &other : first;

		if ((i ? wait_for(start, i, left, &other) : found) < 0 ||
		    !has_off_file(start, p))
			continue;
		str_join(&s, STORE_OFF_FILE " lies on partition ", state->partitions[i],
			 NULL);
		release_all(start, REASON_OFF, text);
		return true;
	}
	return false;
}

static void read_displays(struct start *start)
{
	struct report_display *d = start->state->displays;

	for (unsigned i = 0; i < start->state->n_displays; i++)
		if (driver_current(start->root, d[i].address, d[i].driver) < 0)
			d[i].driver[0] = '\0';
}

/* What is awaited is left to event. */
static void leave(struct start *start)
{
	if (start->state->report.reason == REASON_NONE && start_awaits(start->state)) {
		start->state->hold = false;
		start->state->settled = true;
		(void)!state_save(start->root, start->state);
	} else {
		(void)!start->root->ops->remove(start->root, REPORT_AWAITED_PATH);
	}
}

void settle_run(struct start *start)
{
	struct start_state *state = start->state;
	struct partition partition = { .device = "" };
	struct str lost = STR_ON(state->report.detail);
	struct str step = STR_ON(state->log.step);
	int r, left = state->hold || start->wait ? WAIT_MS : 0;

	str_add(&step, "reading the boot partition");
	state->report.reason = REASON_NONE;
	mark_unfinished(&state->report);
	r = wait_for(start, 0, &left, &partition);
	if (!start->wait)
		left = 0;
	if (!switched_off(start, &partition, r, &left)) {
		state->nothing_new = !state->hold;
		if (state->nothing_new) {
			leave(start);
			return;
		}
		if (r < 0)
			release_unreadable(start, r);
		else
			decide(start, &partition);
		start_undo_halves(start, &lost);
	}
	start_warn_settings(state);
	start_read_back(start);
	read_displays(start);
	start_report_displays(state);
	leave(start);
	report_summarise(&state->report);
}
