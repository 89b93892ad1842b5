/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "count.h"

#include <errno.h>

#define PARTITIONS_PATH "etc/vfio-claim.partitions"

enum count count_in(struct store *store, unsigned max_attempts, bool count,
		    struct record *record, int *ret_error)
{
	struct record_table table;
	struct record_slot slot;
	int r;

	record->kind = store->kind;
	r = store_read(store, &table);
	if (r < 0) {
		*ret_error = r;
		return COUNT_UNREADABLE;
	}
	slot = record_find(&table, record->fingerprint);
	record->attempts = slot.attempts;
	record->confirmed = slot.confirmed;
	if (slot.confirmed)
		return COUNT_DONE;
	if (slot.attempts >= max_attempts)
		return COUNT_SAFE_MODE;
	if (!count)
		return COUNT_DONE;
	record_count(&table, record->fingerprint);
	r = store_write(store, &table);
	if (r < 0) {
		*ret_error = r;
		return COUNT_UNWRITABLE;
	}
	record->attempts++;
	return COUNT_DONE;
}

void count_explain(struct str *s, const struct record *record, int error)
{
	if (record->kind == RECORD_PARTITION)
		str_join(s, "the record on partition ", record->partuuid, NULL);
	else
		str_add(s, "the record in the EFI variable");
	if (error == -EBADMSG)
		str_add(s,
			" is damaged; \"vfio-claim confirm --retry\" starts a new one");
	else if (error == -EBUSY)
		str_add(s, " waits: a hibernated system would be destroyed");
	else if (error == -ENOENT)
		str_add(s, " cannot be had: there is no such thing now");
	else
		str_join(s, " cannot be used: ", str_errno(error), NULL);
}

static void add_partition(struct start_state *state, const char *text)
{
	char uuid[RECORD_PARTUUID_LEN];

	if (!record_partuuid_parse(text, uuid))
		return;
	for (unsigned i = 0; i < state->n_partitions; i++)
		if (str_equal(state->partitions[i], uuid))
			return;
	if (state->n_partitions < START_MAX_PARTITIONS)
		str_copy(state->partitions[state->n_partitions++], RECORD_PARTUUID_LEN,
			 uuid);
}

/* The configured one is first, then those that the image was built with. */
void count_list_partitions(struct start *start)
{
	struct start_state *state = start->state;
	char text[1024], *rest = text, *line;

	if (start->work->conf.record == CONF_RECORD_PARTITION)
		add_partition(state, start->work->conf.partuuid);
	if (fs_read_file(start->root, PARTITIONS_PATH, text, sizeof(text), NULL) < 0)
		return;
	while ((line = strsep(&rest, "\n")))
		add_partition(state, line);
}

static void refuse(struct start *start, int error)
{
	char detail[REPORT_DETAIL_LEN];
	struct str s = STR_ON(detail);

	count_explain(&s, &start->state->report.record, error);
	plan_refuse(&start->work->plan, REASON_RECORD_UNAVAILABLE, detail);
}

/*
 * No boot can be counted. Settle may find out, too: for it each claim that needs the
 * count is marked.
 */
static void go_uncounted(struct start *start)
{
	struct record *record = &start->state->report.record;

	record->kind = RECORD_NONE;
	record->attempts = 0;
	plan_record(&start->work->conf, &start->work->machine, record,
		    &start->work->plan);
}

void count_mark_needs(struct start *start)
{
	const struct record none = { .kind = RECORD_NONE };
	struct start_work *w = start->work;

	w->without_record = w->plan;
	plan_record(&w->conf, &w->machine, &none, &w->without_record);
	for (unsigned i = 0; i < w->plan.n_claims; i++)
		start->state->needs_record[i] |=
			w->without_record.claims[i].reason != w->plan.claims[i].reason;
}

static void leave_to_settle(struct start *start)
{
	struct start_state *state = start->state;
	struct start_work *w = start->work;

	state->hold = true;
	state->max_attempts = w->conf.max_attempts;
	state->report.record.kind = RECORD_PARTITION;
	str_copy(state->report.record.partuuid, RECORD_PARTUUID_LEN,
		 state->partitions[0]);
	count_mark_needs(start);
}

/* Where vfio-pci is missing nothing will be bound, and there is nothing to count. */
static bool prepared(struct start *start)
{
	char text[REPORT_DETAIL_LEN];
	struct str detail = STR_ON(text);
	enum reason reason;

	reason = act_prepare(start->root, &start->loader, &start->state->log, &detail);
	if (reason != REASON_NONE)
		plan_refuse(&start->work->plan, reason, text);
	return reason == REASON_NONE;
}

/* True if it decides; otherwise there is no such record on this machine. */
static bool count_efi(struct start *start)
{
	const bool given = start->work->conf.record == CONF_RECORD_EFI;
	const unsigned max_attempts = start->work->conf.max_attempts;
	struct start_state *state = start->state;
	struct record *record = &state->report.record;
	struct str s = STR_ON(state->uncounted);
	struct store store;
	enum count count;
	int r;

	record->kind = RECORD_EFI;
	r = store_efi_present(start->root) ? store_open_efi(start->root, &store)
					   : -ENOENT;
	if ((r == -ENOENT || r == -ENODEV) && !given)
		return false;
	if (r < 0) {
		refuse(start, r);
		return true;
	}
	count = count_in(&store, max_attempts, false, record, &r);
	if (count == COUNT_DONE && !record->confirmed &&
	    start->work->choice.mode != KARGS_DRY_RUN && prepared(start))
		count = count_in(&store, max_attempts, true, record, &r);
	store_finish(&store);
	if (count == COUNT_UNREADABLE)
		refuse(start, r);
	else if (count == COUNT_UNWRITABLE)
		count_explain(&s, record, r);
	else if (count == COUNT_SAFE_MODE)
		plan_record(&start->work->conf, &start->work->machine, record,
			    &start->work->plan);
	if (count == COUNT_UNWRITABLE && given)
		go_uncounted(start);
	return count != COUNT_UNWRITABLE || given;
}

void count_start(struct start *start)
{
	const enum conf_record where = start->work->conf.record;
	struct start_state *state = start->state;
	struct str s = STR_ON(state->log.step);
	struct start_work *w = start->work;

	str_add(&s, "counting the boot");
	state->report.record.fingerprint =
		plan_fingerprint(&w->conf, &w->machine, &w->plan);
	count_list_partitions(start);
	if ((where == CONF_RECORD_AUTO || where == CONF_RECORD_EFI) && count_efi(start))
		return;
	if (state->n_partitions && where != CONF_RECORD_NONE) {
		leave_to_settle(start);
		return;
	}
	if (!state->uncounted[0]) {
		s = STR_ON(state->uncounted);
		str_add(&s, where == CONF_RECORD_NONE
				    ? "record = none"
				    : "there are no EFI variables, and no boot "
				      "partition is known");
	}
	go_uncounted(start);
}
