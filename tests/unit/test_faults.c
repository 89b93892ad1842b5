/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every access of a claim fails once, with every error; the claim is then whole, or the
 * machine is as it was found. The same with a second fault while the first is undone, and
 * with a worker that is killed at every access.
 */
#include "unit.h"

#include "variants.h"

/* first those that some code treats on its own, and one that none does */
static const int errors[] = { EIO,    ENOENT, ENODEV, EBUSY,  EACCES, EINVAL,
			      EAGAIN, ENOMEM, EPERM,  ENOSPC, ENXIO,  ENOTDIR };
#define FEW 4

/* ---- the tests */

static void clean_runs_claim(void **state)
{
	struct scene *before, *s = scene_new(scene_desktop);

	(void)state;
	for (size_t v = 0; v < variants_n; v++) {
		before = scene_new(variants[v].make);
		scene_copy(s, before);
		scene_run(s);
		assert_that(variants_whole(s), "%s: not claimed: %s", variants[v].name,
			    s->state.report.claims[0].detail);
		assert_null(scene_not_claimed(s, before));
		assert_int_not_equal(s->state.report.n_functions, 0);
		scene_free(before);
	}
	scene_free(s);
}

static void one_fault(const struct scene *before, struct scene *s, const char *name)
{
	unsigned total;

	scene_copy(s, before);
	scene_run(s);
	total = s->fake.accesses;
	for (unsigned at = 1; at <= total; at++)
		for (size_t e = 0; e < ARRAY_SIZE(errors); e++)
			for (int after = 0; after < 2; after++) {
				scene_copy(s, before);
				s->fake.faults[0] = fault_at(at, errors[e], after);
				scene_run(s);
				variants_judge(s, before, name);
			}
}

static void any_access_fails(void **state)
{
	struct scene *before, *s = scene_new(scene_desktop);

	(void)state;
	variants_bad = 0;
	for (size_t v = 0; v < variants_n; v++) {
		before = scene_new(variants[v].make);
		one_fault(before, s, variants[v].name);
		scene_free(before);
	}
	scene_free(s);
	assert_int_equal(variants_bad, 0);
}

static void second_fault(const struct scene *before, struct scene *s, const char *name,
			 const struct fake_fault *first, unsigned total, size_t n_errors)
{
	for (unsigned at = first->at + 1; at <= total; at++)
		/* one round more, in which a write takes effect and then fails */
		for (size_t e = 0; e <= n_errors; e++) {
			bool after = e == n_errors;

			scene_copy(s, before);
			s->fake.faults[0] = *first;
			s->fake.faults[1] = fault_at(at, after ? EIO : errors[e], after);
			scene_run(s);
			variants_judge(s, before, name);
		}
}

static void two_faults(const struct scene *before, struct scene *s, const char *name,
		       size_t n_errors)
{
	struct fake_fault first;
	unsigned total;

	scene_copy(s, before);
	scene_run(s);
	total = s->fake.accesses;
	for (unsigned at = 1; at <= total; at++)
		for (int after = 0; after < 2; after++) {
			first = fault_at(at, EIO, after);
			scene_copy(s, before);
			s->fake.faults[0] = first;
			scene_run(s);
			second_fault(before, s, name, &first, s->fake.accesses, n_errors);
		}
}

static void any_two_accesses_fail(void **state)
{
	struct scene *before, *s = scene_new(scene_desktop);

	(void)state;
	variants_bad = 0;
	for (size_t v = 0; v < variants_n; v++) {
		before = scene_new(variants[v].make);
		two_faults(before, s, variants[v].name, v < 3 ? ARRAY_SIZE(errors) : FEW);
		scene_free(before);
	}
	scene_free(s);
	assert_int_equal(variants_bad, 0);
}

/* ---- faults that last */

/* Nothing can be promised then, but what is lost is told, and never called claimed. */
static void judge_lasting(const struct scene *s, const struct scene *before,
			  const char *path)
{
	const char *wrong;

	if (s->state.report.n_claims &&
	    s->state.report.claims[0].outcome == OUTCOME_CLAIMED)
		wrong = scene_not_claimed(s, before);
	else if (s->state.report.n_claims &&
		 strstr(s->state.report.claims[0].detail, "NOT given back"))
		wrong = NULL;
	else
		wrong = scene_not_as_found(s, before);
	assert_that(!wrong, "%s fails for ever: %s: %s", path, wrong,
		    s->state.report.claims[0].detail);
}

static void lasting(const struct scene *before, struct scene *s,
		    const struct fake_fault *first)
{
	char path[FS_PATH_MAX];
	unsigned total;

	scene_copy(s, before);
	s->fake.faults[1] = *first;
	scene_run(s);
	total = s->fake.accesses;
	for (unsigned at = 1; at <= total; at++)
		for (size_t e = 0; e < FEW; e++) {
			/* which path is it? */
			scene_copy(s, before);
			s->fake.faults[0] = fault_at(at, errors[e], false);
			s->fake.faults[1] = *first;
			scene_run(s);
			str_copy(path, sizeof(path), s->fake.hit_path);
			scene_copy(s, before);
			s->fake.faults[0] =
				(struct fake_fault){ .path = path, .error = errors[e] };
			s->fake.faults[1] = *first;
			scene_run(s);
			judge_lasting(s, before, path);
		}
}

static void what_lasts_is_told(void **state)
{
	const struct fake_fault none = { .error = 0 };
	struct scene *before, *s = scene_new(scene_desktop);

	(void)state;
	for (size_t v = 0; v < variants_n; v++) {
		before = scene_new(variants[v].make);
		lasting(before, s, &none);
		scene_free(before);
	}
	scene_free(s);
}

static void what_lasts_in_a_rollback_is_told(void **state)
{
	struct scene *before, *s = scene_new(scene_desktop);
	struct fake_fault no_bind = { .path = "vfio-pci/bind", .error = EIO, .times = 1 };

	(void)state;
	for (size_t v = 0; v < variants_n; v++)
		for (no_bind.skip = 0; no_bind.skip < 2; no_bind.skip++) {
			before = scene_new(variants[v].make);
			lasting(before, s, &no_bind);
			scene_free(before);
		}
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(clean_runs_claim),
		cmocka_unit_test(any_access_fails),
		cmocka_unit_test(any_two_accesses_fail),
		cmocka_unit_test(what_lasts_is_told),
		cmocka_unit_test(what_lasts_in_a_rollback_is_told),
	};

	return UNIT_RUN(tests);
}
