/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The second stage: what it makes of what start left. */
#include "unit.h"

#include "held.h"
#include "json.h"
#include "state.h"
#include "store.h"

static void put_record(struct scene *s, struct record_slot slot)
{
	const struct partition partition = { FIRST, "/dev/sda1", "ext4" };
	struct record_table table = { 0 };
	struct store store;

	slot.fingerprint = s->state.report.record.fingerprint;
	record_put(&table, slot);
	assert_int_equal(
		store_open_partition(&s->fake.fs, &partition, MOUNT_WRITE, &store), 0);
	assert_int_equal(store_write(&store, &table), 0);
	store_finish(&store);
	boot_of(s)->writes = boot_of(s)->written_at = 0;
	s->fake.accesses = 0;
}

/* ---- what the record says */

static void nothing_to_settle(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	assert_int_equal(scene_settle(s), -ENOENT);
	s->fake.cmdline = "vfio_claim=off";
	scene_run(s);
	assert_int_equal(scene_settle(s), -ENOENT);
	scene_free(s);
}

static void counted_and_bound(void **state)
{
	struct scene *before, *s = held(make_dark, &before);
	struct json_object *json;

	(void)state;
	assert_int_equal(scene_settle_whole(s), 0);
	assert_null(scene_not_claimed(s, before));
	assert_int_equal(boot_of(s)->record.len, RECORD_SIZE);
	assert_int_equal(s->state.report.record.attempts, 1);
	json = json_of(s->fake.report, s->fake.report_len);
	assert_json(json, "stage", "settle");
	assert_json(json, "outcome", "claimed");
	assert_no_json(json, "reason");
	assert_int_equal(json_object_array_length(json_at(json, "host_displays")), 0);
	assert_int_equal(json_object_array_length(json_at(json, "warnings")), 0);
	json_object_put(json);
	/* the second and third script find nothing to do */
	assert_int_equal(scene_settle(s), -ENOENT);
	finish(s, before);
}

static void confirmed(void **state)
{
	struct scene *before, *s = held(make_dark, &before);

	(void)state;
	put_record(s, (struct record_slot){ .confirmed = true });
	/* for that a read-only one will do, or one that is full */
	boot_of(s)->mounted = FAKE_READ_ONLY;
	assert_int_equal(scene_settle(s), 0);
	assert_null(scene_not_claimed(s, before));
	assert_int_equal(boot_of(s)->writes, 0);
	assert_true(s->state.report.record.confirmed);
	finish(s, before);
}

static void safe_mode(void **state)
{
	struct scene *before, *s = held(make_dark, &before);

	(void)state;
	put_record(s, (struct record_slot){ .attempts = 2 });
	assert_int_equal(scene_settle(s), 0);
	assert_int_equal(s->state.report.reason, REASON_SAFE_MODE);
	assert_reason(s, "gaming", REASON_SAFE_MODE);
	assert_null(scene_not_as_found(s, before));
	assert_int_equal(boot_of(s)->writes, 0);
	assert_int_equal(s->fake.loads, 0);
	assert_int_equal(s->state.report.n_displays, 1);
	finish(s, before);
}

/* What it would say is not known. */
static void unreadable(void **state)
{
	struct scene *before, *s;

	(void)state;
	for (int dark = 0; dark < 2; dark++)
		for (int how = 0; how < 5; how++) {
			s = held(dark ? make_dark : make, &before);
			if (how == 0)
				boot_of(s)->record =
					(struct fake_file){ .there = true, .len = 80 };
			else if (how == 1)
				fake_fail(&s->fake, STORE_FILE, EIO, 0);
			else if (how == 2)
				boot_of(s)->mount_error = EUCLEAN;
			else if (how == 3)
				boot_of(s)->type = NULL;
			else
				s->fake.hibernated = true;
			fake_slept_ms = 0;
			assert_int_equal(scene_settle(s), 0);
			assert_reason(s, "gaming", REASON_RECORD_UNAVAILABLE);
			assert_contains(s->state.report.detail, FIRST);
			assert_null(scene_not_as_found(s, before));
			assert_int_equal(boot_of(s)->writes + s->fake.loads, 0);
			assert_int_equal(fake_slept_ms, 0);
			/* what a sleeping system has mounted is not even looked at */
			if (how == 4)
				assert_int_equal(boot_of(s)->mounted_at, 0);
			finish(s, before);
		}
}

/* It says go on, but cannot count that: only what leaves a display goes on. */
static void unwritable(void **state)
{
	static void (*const makes[])(struct scene *) = { make, make_dark, make_two };
	struct scene *before, *s;

	(void)state;
	for (size_t m = 0; m < ARRAY_SIZE(makes); m++)
		for (int how = 0; how < 2; how++) {
			s = held(makes[m], &before);
			if (how == 0)
				boot_of(s)->write_error = ENOSPC;
			else
				fake_fail(&s->fake, "mount /dev/sda1 rw", EROFS, 0);
			assert_int_equal(scene_settle(s), 0);
			assert_int_equal(boot_of(s)->record.there, false);
			assert_int_equal(s->state.report.n_warnings, 1);
			assert_string_equal(s->state.report.warnings[0].code,
					    "record-unavailable");
			assert_int_equal(s->state.report.record.kind, RECORD_NONE);
			if (makes[m] == make) {
				assert_null(scene_not_claimed(s, before));
			} else if (makes[m] == make_dark) {
				assert_reason(s, "gaming", REASON_RECORD_UNAVAILABLE);
				assert_null(scene_not_as_found(s, before));
			} else {
				assert_int_equal(s->state.report.outcome,
						 OUTCOME_PARTIAL);
				assert_reason(s, "video", REASON_RECORD_UNAVAILABLE);
				assert_reason(s, "usb", REASON_NONE);
				assert_driver(s, GPU, "");
				assert_driver(s, USB, "vfio-pci");
			}
			finish(s, before);
		}
}

/*
 * It gives up while, or once, it is mounted for writing: at every boot perhaps,
 * uncounted.
 */
static void gives_up(void **state)
{
	static const int errors[] = { EROFS, EIO };
	struct scene *before, *s;

	(void)state;
	for (size_t i = 0; i <= ARRAY_SIZE(errors); i++) {
		s = held(make, &before);
		if (i < ARRAY_SIZE(errors))
			boot_of(s)->write_error = errors[i];
		else
			fake_fail(&s->fake, "mount /dev/sda1 rw", EIO, 0);
		assert_int_equal(scene_settle(s), 0);
		assert_reason(s, "gaming", REASON_RECORD_UNAVAILABLE);
		assert_null(scene_not_as_found(s, before));
		finish(s, before);
	}
}

static void no_module(void **state)
{
	struct scene *before, *s = held(make, &before);

	(void)state;
	s->fake.load_error = ENOEXEC;
	assert_int_equal(scene_settle(s), 0);
	assert_reason(s, "gaming", REASON_MODULE_UNAVAILABLE);
	assert_null(scene_not_as_found(s, before));
	assert_int_equal(boot_of(s)->writes, 0);
	finish(s, before);
}

/* ---- the partition */

static void it_appears_late(void **state)
{
	struct scene *before, *s = held(make, &before);

	(void)state;
	boot_of(s)->looks_before = 20;
	fake_slept_ms = 0;
	assert_int_equal(scene_settle(s), 0);
	assert_null(scene_not_claimed(s, before));
	assert_int_equal(fake_slept_ms, 2000);
	finish(s, before);
}

static void it_never_appears(void **state)
{
	struct scene *before, *s = held(make, &before);

	(void)state;
	boot_of(s)->partuuid = "ffffffff-01";
	fake_slept_ms = 0;
	assert_int_equal(scene_settle(s), 0);
	assert_reason(s, "gaming", REASON_RECORD_UNAVAILABLE);
	assert_contains(s->state.report.detail, FIRST);
	assert_contains(s->state.report.detail, "no such thing");
	assert_null(scene_not_as_found(s, before));
	/* less than the deadline leaves time for */
	assert_in_range(fake_slept_ms, 6000, 8000);
	finish(s, before);
}

static void errors_of_the_search(void **state)
{
	struct scene *before, *s = held(make, &before);

	(void)state;
	fake_fail(&s->fake, "find ", EIO, 0);
	assert_int_equal(scene_settle(s), 0);
	assert_reason(s, "gaming", REASON_RECORD_UNAVAILABLE);
	assert_null(scene_not_as_found(s, before));
	finish(s, before);
}

/* ---- vfio-claim.off */

static void switched_off(void **state)
{
	struct scene *before, *s;

	(void)state;
	for (int efi = 0; efi < 2; efi++)
		for (unsigned volume = 1; volume < 3; volume++)
			for (int folder = 0; folder < 2; folder++) {
				s = held(efi ? make_efi : make, &before);
				s->fake.volumes[volume].off.there = true;
				s->fake.volumes[volume].boot_folder = folder;
				assert_int_equal(s->state.report.outcome,
						 efi ? OUTCOME_CLAIMED : OUTCOME_HELD);
				assert_int_equal(scene_settle_whole(s), 0);
				assert_int_equal(s->state.report.reason, REASON_OFF);
				assert_reason(s, "gaming", REASON_OFF);
				assert_int_equal(s->state.report.outcome, OUTCOME_KEPT);
				assert_contains(s->state.report.detail,
						s->fake.volumes[volume].partuuid);
				assert_null(scene_not_as_found(s, before));
				assert_int_equal(boot_of(s)->writes, 0);
				assert_contains(s->fake.report, "\"settle\"");
				finish(s, before);
			}
}

/*
 * Where nobody has waited for disks, whichever partition comes late or never, the wait
 * for all of them is one. Elsewhere nothing waits for them.
 */
static void the_file_appears_late(void **state)
{
	struct scene *before, *s;

	(void)state;
	for (unsigned volume = 1; volume < 3; volume++)
		for (int never = 0; never < 2; never++)
			for (int wait = 0; wait < 2; wait++) {
				s = held(make_efi, &before);
				s->wait = wait;
				s->fake.volumes[volume].off.there = true;
				s->fake.volumes[volume].looks_before = 20;
				if (never)
					s->fake.volumes[1].partuuid =
						s->fake.volumes[2].partuuid =
							"ffffffff-01";
				fake_slept_ms = 0;
				assert_int_equal(scene_settle(s), 0);
				assert_int_equal(fake_slept_ms, !wait	? 0
								: never ? 7000
									: 2000);
				assert_null(wait && !never
						    ? scene_not_as_found(s, before)
						    : scene_not_claimed(s, before));
				finish(s, before);
			}
}

/* Claimed by start, and no such file: nothing is touched, and nothing new is reported. */
static void nothing_new(void **state)
{
	struct scene *before, *s;

	(void)state;
	for (int gone = 0; gone < 2; gone++) {
		s = held(make_efi, &before);
		boot_of(s)->partuuid = gone ? "ffffffff-01" : FIRST;
		s->fake.writes = 0;
		assert_int_equal(scene_settle_whole(s), 0);
		assert_null(scene_not_claimed(s, before));
		assert_int_equal(s->fake.writes, 0);
		assert_int_equal(s->fake.report_len + s->fake.n_log, 0);
		finish(s, before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(nothing_to_settle),
		cmocka_unit_test(counted_and_bound),
		cmocka_unit_test(confirmed),
		cmocka_unit_test(safe_mode),
		cmocka_unit_test(unreadable),
		cmocka_unit_test(unwritable),
		cmocka_unit_test(gives_up),
		cmocka_unit_test(no_module),
		cmocka_unit_test(it_appears_late),
		cmocka_unit_test(it_never_appears),
		cmocka_unit_test(errors_of_the_search),
		cmocka_unit_test(switched_off),
		cmocka_unit_test(the_file_appears_late),
		cmocka_unit_test(nothing_new),
	};

	return UNIT_RUN(tests);
}
