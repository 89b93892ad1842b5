/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The second stage with a fault at every access, or killed at every one: nothing stays
 * held.
 */
#include "unit.h"

#include "held.h"

/* Counted, and then whole or as it was; or not counted and as it was. */
static void judge(struct scene *s, const struct scene *before, bool whole_must,
		  const char *what, unsigned at)
{
	const struct report *r = &s->state.report;
	const char *wrong = NULL;

	if (r->outcome == OUTCOME_CLAIMED)
		wrong = scene_not_claimed(s, before);
	else if (r->outcome != OUTCOME_KEPT || r->reason == REASON_NONE)
		wrong = "neither claimed nor kept for a reason";
	else
		wrong = scene_not_as_found(s, before);
	if (!wrong && r->outcome == OUTCOME_CLAIMED && !boot_of(s)->record.there &&
	    r->record.kind != RECORD_NONE)
		wrong = "claimed and not counted";
	if (!wrong && whole_must && r->outcome != OUTCOME_CLAIMED)
		wrong = "not claimed";
	assert_that(!wrong, "%s %u of settle: %s: %s", what, at, wrong,
		    r->n_claims ? r->claims[0].detail : r->detail);
}

static void any_access_fails(void **state)
{
	static const int errors[] = { EIO, ENOENT, EBUSY, EROFS, ENOSPC, ENODEV };
	struct scene *before, *s = held(make_dark, &before), *after = scene_new(make);
	unsigned total;

	(void)state;
	scene_copy(after, s);
	assert_int_equal(scene_settle(s), 0);
	total = s->fake.accesses;
	/* the first two take the state away */
	for (unsigned at = 3; at <= total; at++)
		for (size_t e = 0; e < ARRAY_SIZE(errors); e++)
			for (int late = 0; late < 2; late++) {
				scene_copy(s, after);
				s->fake.faults[0] = (struct fake_fault){
					.at = at, .error = errors[e], .after = late
				};
				assert_int_equal(scene_settle(s), 0);
				assert_true(fake_unmounted());
				judge(s, before, false, "access", at);
				/* the last display never without a count */
				assert_true(s->state.report.outcome == OUTCOME_KEPT ||
					    boot_of(s)->record.there);
			}
	scene_free(after);
	finish(s, before);
}

static void killed_anywhere(void **state)
{
	static void (*const makes[])(struct scene *) = { make, make_dark };
	struct scene *before, *s, *after;
	unsigned total;

	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(makes); m++) {
		s = held(makes[m], &before);
		after = scene_new(make);
		scene_copy(after, s);
		assert_int_equal(scene_settle(s), 0);
		total = s->fake.accesses;
		for (unsigned at = 3; at <= total; at++)
			for (int late = 0; late < 2; late++) {
				scene_copy(s, after);
				s->fake.kill_at = at;
				s->fake.kill_after = late;
				assert_int_equal(scene_settle_whole(s), 0);
				judge(s, before, false, "killed at", at);
				assert_int_equal(s->state.report.n_warnings, 1);
				assert_string_equal(s->state.report.warnings[0].code,
						    "deadline");
			}
		scene_free(after);
		finish(s, before);
	}
}

/* What start has claimed may stay so then, but not by halves. */
static void killed_while_switching_off(void **state)
{
	struct scene *before, *s, *after;
	const char *wrong;
	unsigned total;

	(void)state;
	for (int efi = 0; efi < 2; efi++) {
		s = held(efi ? make_efi : make, &before);
		after = scene_new(make);
		boot_of(s)->off.there = true;
		scene_copy(after, s);
		assert_int_equal(scene_settle(s), 0);
		total = s->fake.accesses;
		for (unsigned at = 3; at <= total; at++)
			for (int late = 0; late < 2; late++) {
				scene_copy(s, after);
				s->fake.kill_at = at;
				s->fake.kill_after = late;
				assert_int_equal(scene_settle_whole(s), 0);
				wrong = scene_not_as_found(s, before);
				if (s->state.report.outcome == OUTCOME_CLAIMED && efi)
					wrong = scene_not_claimed(s, before);
				assert_that(!wrong, "killed at %u, %s: %s", at,
					    efi ? "claimed" : "held", wrong);
			}
		scene_free(after);
		finish(s, before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(any_access_fails),
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(killed_while_switching_off),
	};

	return UNIT_RUN(tests);
}
