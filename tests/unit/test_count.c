/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where start counts a boot, what it makes of the answer, and what it leaves to settle.
 */
#include "unit.h"

#include "count.h"
#include "json.h"
#include "scene.h"
#include "state.h"

#define FIRST "1234abcd-01"
#define SECOND "12345678-9abc-def0-1234-56789abcdef0"

enum efi {
	NO_EFI,
	EFI_EMPTY,
	EFI_USED_UP,
	EFI_CONFIRMED,
	EFI_DAMAGED,
	EFI_READ_ONLY,
	EFI_STUCK,
	EFI_KINDS
};
enum conf_words { AUTO, EFI, PARTITION, NONE };

static const char *const words[] = { "auto", "efi", "PARTUUID=1234ABCD-01", "none" };

struct counting {
	enum conf_words record;
	enum efi efi;
	const char *partitions;
	bool dark; /* the claim takes the last display */
};

static const struct counting *making;

static void make(struct scene *s)
{
	char text[128];

	scene_desktop(s);
	snprintf(text, sizeof(text), "[host]\nrequire-display = no\nrecord = %s\n",
		 words[making->record]);
	scene_conf(s, text);
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
	if (making->dark)
		fake_at(&s->fake, HOST_GPU)->ids.class = 0x028000;
	s->fake.efi = making->efi != NO_EFI;
	s->fake.partitions = making->partitions;
	fake_add_partition(&s->fake, "/dev/sda1", FIRST);
	fake_add_partition(&s->fake, "/dev/sda2", SECOND);
}

/* Puts into the variable what is known of this machine as it is. */
static void put_record(struct scene *s, struct record_slot slot)
{
	struct record_table table = { 0 };
	struct fake_volume *v = &s->fake.volumes[0];
	struct store store;

	slot.fingerprint = s->state.report.record.fingerprint;
	record_put(&table, slot);
	assert_int_equal(store_open_efi(&s->fake.fs, &store), 0);
	assert_int_equal(store_write(&store, &table), 0);
	store_finish(&store);
	v->writes = v->written_at = 0;
}

static struct scene *scene_of(const struct counting *setting)
{
	struct scene *s, *tried;
	struct fake_volume *v;

	making = setting;
	s = scene_new(make);
	v = &s->fake.volumes[0];
	/* for the fingerprint */
	tried = scene_new(make);
	tried->fake.cmdline = "vfio_claim=dry-run";
	scene_run(tried);
	s->state.report.record.fingerprint = tried->state.report.record.fingerprint;
	assert_true(s->state.report.record.fingerprint);
	for (unsigned i = 0; i < tried->fake.n_volumes; i++)
		assert_int_equal(tried->fake.volumes[i].writes, 0);
	assert_int_equal(tried->fake.state_len, 0);
	scene_free(tried);
	if (setting->efi == EFI_USED_UP)
		put_record(s, (struct record_slot){ .attempts = 2 });
	if (setting->efi == EFI_CONFIRMED)
		put_record(s, (struct record_slot){ .confirmed = true });
	if (setting->efi == EFI_DAMAGED)
		v->record = (struct fake_file){ .there = true, .len = 40 };
	if (setting->efi == EFI_READ_ONLY)
		v->mounted = FAKE_READ_ONLY;
	if (setting->efi == EFI_STUCK)
		v->mount_error = EIO;
	v->record.immutable = true;
	return s;
}

/* What start says and does, in short. */
enum verdict {
	CLAIMED, /* counted */
	KNOWN, /* confirmed: claimed, and nothing is written */
	UNCOUNTED, /* claimed, with a warning */
	HELD,
	SAFE_MODE,
	UNAVAILABLE,
};

static enum verdict expected(const struct counting *t)
{
	const bool partition = t->record == PARTITION || t->partitions;
	const enum verdict uncounted =
		t->dark && t->record != NONE ? UNAVAILABLE : UNCOUNTED;
	static const enum verdict efi[EFI_KINDS] = {
		[EFI_EMPTY] = CLAIMED,	     [EFI_USED_UP] = SAFE_MODE,
		[EFI_CONFIRMED] = KNOWN,     [EFI_DAMAGED] = UNAVAILABLE,
		[EFI_READ_ONLY] = UNCOUNTED, [EFI_STUCK] = UNAVAILABLE,
		[NO_EFI] = UNAVAILABLE,
	};

	if (t->record == NONE)
		return UNCOUNTED;
	if (t->record == PARTITION)
		return HELD;
	if (t->record == EFI)
		return t->efi == EFI_READ_ONLY ? uncounted : efi[t->efi];
	if (t->efi == NO_EFI || t->efi == EFI_READ_ONLY)
		return partition ? HELD : uncounted;
	return efi[t->efi];
}

static void assert_held(struct scene *s)
{
	static const char *const functions[] = { GPU, AUDIO, USB };

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		assert_string_equal(fake_at(&s->fake, functions[i])->override,
				    "vfio-claim");
	assert_driver(s, USB, "xhci_hcd");
	assert_driver(s, GPU, "");
	/* whatever is loaded now takes none of them */
	fake_core_load(&s->fake, "vfio-pci");
	fake_core_load(&s->fake, "nouveau");
	assert_driver(s, GPU, "");
}

static void judge(struct scene *s, const struct scene *before, const struct counting *t)
{
	const struct report *r = &s->state.report;
	const struct fake_volume *v = &s->fake.volumes[0];
	const enum verdict want = expected(t);
	/* what would have been counted has its module by then */
	const bool loads = t->efi == EFI_READ_ONLY && t->record <= EFI;
	const bool bound = want == CLAIMED || want == KNOWN || want == UNCOUNTED;

	if (bound)
		assert_int_equal(r->outcome, OUTCOME_CLAIMED);
	assert_int_equal(v->writes, want == CLAIMED);
	assert_int_equal(s->fake.volumes[1].writes + s->fake.volumes[2].writes, 0);
	assert_int_equal(s->fake.volumes[1].mounted_at + s->fake.volumes[2].mounted_at,
			 0);
	assert_true(fake_unmounted());
	if (bound) {
		assert_null(scene_not_claimed(s, before));
	} else if (want == HELD) {
		assert_int_equal(r->outcome, OUTCOME_HELD);
		assert_int_equal(r->reason, REASON_RECORD_UNAVAILABLE);
		assert_int_equal(r->record.kind, RECORD_PARTITION);
		assert_string_equal(r->record.partuuid,
				    t->record == PARTITION ? FIRST : SECOND);
		assert_true(s->state.needs_record[0] == t->dark);
		assert_int_equal(s->state.max_attempts, 2);
		assert_true(s->fake.state_len > 0);
		assert_held(s);
		assert_int_equal(s->fake.loads, loads);
	} else {
		assert_int_equal(r->outcome, OUTCOME_KEPT);
		assert_int_equal(r->reason, want == SAFE_MODE
						    ? REASON_SAFE_MODE
						    : REASON_RECORD_UNAVAILABLE);
		assert_null(scene_not_as_found(s, before));
		assert_int_equal(s->fake.writes, 0);
		assert_int_equal(s->fake.loads, loads);
	}
	if (want == UNCOUNTED) {
		assert_int_equal(r->n_warnings, 1);
		assert_string_equal(r->warnings[0].code, "record-unavailable");
		assert_contains(r->warnings[0].detail, "this boot is not counted: ");
		assert_int_equal(r->record.kind, RECORD_NONE);
	} else if (want != UNAVAILABLE) {
		assert_int_equal(r->n_warnings, 0);
	}
	if (want == CLAIMED)
		assert_int_equal(r->record.attempts, 1);
	assert_int_equal(r->record.confirmed, want == KNOWN);
	/* off there may be said for what is claimed, too */
	if (bound)
		assert_int_equal(s->fake.state_len > 0, s->state.n_partitions > 0);
}

static void print(const struct counting *t)
{
	print_error("record = %s, EFI %d, partitions %s, %s\n", words[t->record], t->efi,
		    t->partitions ? t->partitions : "-",
		    t->dark ? "the last display" : "another display");
}

static void every_setting(void **state)
{
	static const char *const lists[] = { NULL, SECOND "\n" FIRST "\n" };
	struct counting t;

	(void)state;
	for (t.record = AUTO; t.record <= NONE; t.record++)
		for (t.efi = NO_EFI; t.efi < EFI_KINDS; t.efi++)
			for (size_t list = 0; list < 2; list++)
				for (int dark = 0; dark < 2; dark++) {
					struct scene *before, *s;

					t.partitions = lists[list];
					t.dark = dark;
					before = scene_of(&t);
					s = scene_new(make);
					scene_copy(s, before);
					scene_run(s);
					if (getenv("UNIT_VERBOSE"))
						print(&t);
					judge(s, before, &t);
					scene_free(before);
					scene_free(s);
				}
}

/*
 * Whatever it would do, a dry run writes nothing anywhere, and says what the record says.
 */
static void dry_runs(void **state)
{
	static const enum reason reasons[EFI_KINDS] = {
		[NO_EFI] = REASON_DRY_RUN,
		[EFI_EMPTY] = REASON_DRY_RUN,
		[EFI_USED_UP] = REASON_SAFE_MODE,
		[EFI_CONFIRMED] = REASON_DRY_RUN,
		[EFI_DAMAGED] = REASON_RECORD_UNAVAILABLE,
		[EFI_READ_ONLY] = REASON_DRY_RUN,
		[EFI_STUCK] = REASON_RECORD_UNAVAILABLE,
	};
	struct counting t = { .record = AUTO };

	(void)state;
	for (t.efi = NO_EFI; t.efi < EFI_KINDS; t.efi++)
		for (int list = 0; list < 2; list++) {
			struct scene *before, *s;

			t.partitions = list ? SECOND "\n" : NULL;
			before = scene_of(&t);
			before->fake.cmdline = "vfio_claim=dry-run";
			s = scene_new(make);
			scene_copy(s, before);
			scene_run(s);
			assert_that(s->state.report.reason == reasons[t.efi],
				    "EFI %d: %s", t.efi,
				    reason_name(s->state.report.reason));
			assert_null(scene_not_as_found(s, before));
			for (unsigned i = 0; i < s->fake.n_volumes; i++)
				assert_int_equal(s->fake.volumes[i].writes, 0);
			assert_int_equal(s->fake.writes + s->fake.loads, 0);
			assert_int_equal(s->fake.state_len, 0);
			scene_free(before);
			scene_free(s);
		}
}

static void max_attempts_times(void **state)
{
	const struct counting t = { .efi = EFI_EMPTY };
	struct scene *before = scene_of(&t), *s = scene_new(make);
	struct fake_file record = before->fake.volumes[0].record;

	(void)state;
	for (unsigned boot = 1; boot <= 5; boot++) {
		scene_copy(s, before);
		s->fake.volumes[0].record = record;
		scene_run(s);
		assert_int_equal(s->state.report.outcome,
				 boot <= 2 ? OUTCOME_CLAIMED : OUTCOME_KEPT);
		assert_int_equal(s->state.report.record.attempts, boot <= 2 ? boot : 2);
		assert_int_equal(s->fake.volumes[0].writes, boot <= 2);
		if (boot > 2) {
			assert_reason(s, "gaming", REASON_SAFE_MODE);
			assert_contains(s->state.report.detail, "confirm --retry");
		}
		record = s->fake.volumes[0].record;
	}
	scene_free(before);
	scene_free(s);
}

/* A boot in which nothing can be bound for want of a module is no attempt. */
static void nothing_to_count(void **state)
{
	const struct counting t = { .efi = EFI_EMPTY };
	struct scene *s = scene_of(&t);

	(void)state;
	s->fake.load_error = ENOEXEC;
	scene_run(s);
	assert_reason(s, "gaming", REASON_MODULE_UNAVAILABLE);
	assert_int_equal(s->fake.volumes[0].writes, 0);
	scene_free(s);
	s = scene_of(&t);
	s->fake.volumes[0].mounted_at = 0;
	s->fake.cmdline = "vfio_claim=off";
	scene_run(s);
	assert_int_equal(s->fake.volumes[0].mounted_at, 0);
	assert_int_equal(s->state.report.record.fingerprint, 0);
	scene_free(s);
}

/* The image's list: whatever stands there, eight are looked at, each once. */
static void lists_of_partitions(void **state)
{
	struct counting t = { .partitions = "\n\n" SECOND "\n12345678-9ABC-DEF0-1234-"
					    "56789ABCDEF0\nrubbish\n" FIRST };
	struct scene *s = scene_of(&t);
	char many[1200] = "";

	(void)state;
	scene_run(s);
	assert_int_equal(s->state.n_partitions, 2);
	assert_string_equal(s->state.partitions[0], SECOND);
	assert_string_equal(s->state.partitions[1], FIRST);
	scene_free(s);
	/* the configured one is first */
	t.record = PARTITION;
	s = scene_of(&t);
	scene_run(s);
	assert_int_equal(s->state.n_partitions, 2);
	assert_string_equal(s->state.partitions[0], FIRST);
	scene_free(s);
	for (unsigned i = 0; i < 20; i++)
		snprintf(many + strlen(many), sizeof(many) - strlen(many),
			 "1234abcd-%02x\n", i + 1);
	t.record = AUTO;
	t.partitions = many;
	s = scene_of(&t);
	scene_run(s);
	assert_int_equal(s->state.n_partitions, START_MAX_PARTITIONS);
	scene_free(s);
	/* longer than anything that mkinitramfs would write: no list */
	memset(many, '\n', sizeof(many) - 1);
	s = scene_of(&t);
	scene_run(s);
	assert_int_equal(s->state.n_partitions, 0);
	scene_free(s);
}

/* Without the file that settle goes on from nobody could release it. */
static void what_cannot_be_handed_over(void **state)
{
	struct counting t = { .record = PARTITION };
	struct scene *before = scene_of(&t), *s = scene_new(make);

	(void)state;
	scene_copy(s, before);
	fake_fail(&s->fake, STATE_PATH, ENOSPC, 0);
	scene_run(s);
	assert_reason(s, "gaming", REASON_RECORD_UNAVAILABLE);
	assert_int_equal(s->state.report.outcome, OUTCOME_KEPT);
	assert_contains(s->state.report.detail, STATE_PATH);
	assert_null(scene_not_as_found(s, before));
	scene_free(before);
	scene_free(s);
	/* what is claimed stays: only vfio-claim.off is not looked for then */
	t = (struct counting){ .efi = EFI_EMPTY, .partitions = FIRST "\n" };
	before = scene_of(&t);
	s = scene_new(make);
	scene_copy(s, before);
	fake_fail(&s->fake, STATE_PATH, ENOSPC, 0);
	scene_run(s);
	assert_null(scene_not_claimed(s, before));
	assert_int_equal(s->state.report.outcome, OUTCOME_CLAIMED);
	scene_free(before);
	scene_free(s);
}

static void the_report(void **state)
{
	struct counting t = { .record = PARTITION };
	struct scene *s = scene_of(&t);
	struct json_object *json, *record;
	char digits[17];

	(void)state;
	scene_run_whole(s);
	json = json_of(s->fake.report, s->fake.report_len);
	assert_json(json, "outcome", "held");
	assert_json(json, "reason", "record-unavailable");
	record = json_at(json, "record");
	assert_json(record, "kind", "partition");
	assert_json(record, "partition", FIRST);
	snprintf(digits, sizeof(digits), "%016llx",
		 (unsigned long long)s->state.report.record.fingerprint);
	assert_json(record, "fingerprint", digits);
	assert_json(json_object_array_get_idx(json_at(json, "claims"), 0), "outcome",
		    "held");
	json_object_put(json);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_setting),
		cmocka_unit_test(dry_runs),
		cmocka_unit_test(max_attempts_times),
		cmocka_unit_test(nothing_to_count),
		cmocka_unit_test(lists_of_partitions),
		cmocka_unit_test(what_cannot_be_handed_over),
		cmocka_unit_test(the_report),
	};

	return UNIT_RUN(tests);
}
