/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The worker is killed at every access, before its effect and after: what the parent
 * undoes leaves the machine as it was found, or the claim is whole.
 */
#include "unit.h"

#include "variants.h"

static void killed_at(const struct scene *before, struct scene *s, unsigned at,
		      bool after)
{
	s->fake.kill_at = at;
	s->fake.kill_after = after;
	scene_run_whole(s);
	variants_judge(s, before,
		       after ? "killed after an access" : "killed at an access");
	if (s->state.report.n_warnings < 1 ||
	    !str_equal(s->state.report.warnings[s->state.report.n_warnings - 1].code,
		       "deadline"))
		variants_bad++;
}

static void worker_killed_anywhere(void **state)
{
	struct scene *before, *s = scene_new(scene_desktop);
	unsigned total;

	(void)state;
	variants_bad = 0;
	for (size_t v = 0; v < variants_n; v += 2) {
		before = scene_new(variants[v].make);
		scene_copy(s, before);
		scene_run(s);
		total = s->fake.accesses;
		for (unsigned at = 1; at <= total; at++)
			for (int after = 0; after < 2; after++) {
				scene_copy(s, before);
				killed_at(before, s, at, after);
			}
		scene_free(before);
	}
	scene_free(s);
	assert_int_equal(variants_bad, 0);
}

/* The last function cannot be bound, and the worker dies while it undoes the others. */
static void worker_killed_in_rollback(void **state)
{
	const struct fake_fault no_bind = {
		.path = "vfio-pci/bind", .skip = 2, .error = EIO, .times = 1
	};
	struct scene *before = scene_new(variants[0].make),
		     *s = scene_new(variants[0].make);
	unsigned begin, total;

	(void)state;
	variants_bad = 0;
	s->fake.faults[0] = no_bind;
	scene_run(s);
	total = s->fake.accesses;
	begin = s->fake.faults[0].fired_at + 1;
	for (unsigned at = begin; at <= total; at++)
		for (int after = 0; after < 2; after++) {
			scene_copy(s, before);
			s->fake.faults[0] = no_bind;
			killed_at(before, s, at, after);
		}
	assert_int_equal(variants_bad, 0);
	scene_free(before);
	scene_free(s);
}

static void recovery_meets_a_fault(void **state)
{
	struct scene *before = scene_new(variants[0].make),
		     *s = scene_new(variants[0].make);
	unsigned total, after_kill;

	(void)state;
	variants_bad = 0;
	scene_run(s);
	total = s->fake.accesses;
	for (unsigned at = 1; at <= total; at += 5) {
		scene_copy(s, before);
		killed_at(before, s, at, true);
		after_kill = s->fake.accesses;
		for (unsigned second = at + 1; second <= after_kill; second++) {
			scene_copy(s, before);
			s->fake.faults[0] = fault_at(second, EIO, false);
			killed_at(before, s, at, true);
		}
	}
	assert_int_equal(variants_bad, 0);
	scene_free(before);
	scene_free(s);
}

/* A group of which one claim is whole and the other given back serves nobody. */
static void a_shared_group_is_not_split(void **state)
{
	struct scene *before = scene_new(scene_desktop), *s = scene_new(scene_desktop);
	const struct report_claim *c = s->state.report.claims;
	unsigned total;

	(void)state;
	scene_claim(before, "video", GPU, AUDIO, NULL);
	scene_claim(before, "usb", USB, NULL);
	scene_copy(s, before);
	scene_run(s);
	total = s->fake.accesses;
	for (unsigned at = 1; at <= total; at++) {
		scene_copy(s, before);
		s->fake.kill_at = at;
		scene_run_whole(s);
		if (s->state.report.outcome == OUTCOME_CLAIMED)
			assert_null(scene_not_claimed(s, before));
		else
			assert_that(!scene_not_as_found(s, before),
				    "access %u: %s; %s, %s", at,
				    scene_not_as_found(s, before), c[0].detail,
				    c[1].detail);
	}
	scene_free(before);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(worker_killed_anywhere),
		cmocka_unit_test(worker_killed_in_rollback),
		cmocka_unit_test(recovery_meets_a_fault),
		cmocka_unit_test(a_shared_group_is_not_split),
	};

	return UNIT_RUN(tests);
}
