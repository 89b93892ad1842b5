/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <stdio.h>

#include "json.h"
#include "scene.h"

static struct report report;

static int begin(void **state)
{
	(void)state;
	memset(&report, 0, sizeof(report));
	report.stage = "start";
	return 0;
}

static void add_claim(const char *name, enum outcome outcome, enum reason reason)
{
	struct report_claim *c = &report.claims[report.n_claims++];

	str_copy(c->name, sizeof(c->name), name);
	c->outcome = outcome;
	c->reason = reason;
	str_copy(c->detail, sizeof(c->detail), "why");
}

static void the_smallest(void **state)
{
	struct json_object *json = json_of_report(&report), *record;

	(void)state;
	assert_json_int(json, "version", 1);
	assert_json(json, "stage", "start");
	assert_json(json, "outcome", "kept");
	assert_no_json(json, "reason");
	assert_json(json, "kernel", "");
	assert_json_int(json, "elapsed_us", 0);
	record = json_at(json, "record");
	assert_json(record, "kind", "none");
	assert_json_int(record, "attempts", 0);
	assert_false(json_object_get_boolean(json_at(record, "confirmed")));
	assert_no_json(record, "fingerprint");
	assert_no_json(record, "partition");
	assert_int_equal(json_object_array_length(json_at(json, "claims")), 0);
	assert_int_equal(json_object_array_length(json_at(json, "host_displays")), 0);
	assert_int_equal(json_object_array_length(json_at(json, "warnings")), 0);
	json_object_put(json);
}

static void records(void **state)
{
	static const struct {
		struct record record;
		const char *kind, *fingerprint, *partition;
	} cases[] = {
		{ { .kind = RECORD_NONE, .fingerprint = 0x1f },
		  "none",
		  "000000000000001f",
		  NULL },
		{ { .kind = RECORD_EFI, .attempts = 2, .fingerprint = UINT64_MAX },
		  "efi",
		  "ffffffffffffffff",
		  NULL },
		{ { .kind = RECORD_PARTITION,
		    .confirmed = true,
		    .partuuid = "1234abcd-01" },
		  "partition",
		  NULL,
		  "1234abcd-01" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct json_object *json, *record;

		begin(state);
		report.record = cases[i].record;
		json = json_of_report(&report);
		record = json_at(json, "record");
		assert_json(record, "kind", cases[i].kind);
		assert_json_int(record, "attempts", cases[i].record.attempts);
		assert_int_equal(json_object_get_boolean(json_at(record, "confirmed")),
				 cases[i].record.confirmed);
		if (cases[i].fingerprint)
			assert_json(record, "fingerprint", cases[i].fingerprint);
		else
			assert_no_json(record, "fingerprint");
		if (cases[i].partition)
			assert_json(record, "partition", cases[i].partition);
		else
			assert_no_json(record, "partition");
		json_object_put(json);
	}
}

static void what_is_held(void **state)
{
	struct json_object *json, *claim;

	(void)state;
	report.stage = "start";
	add_claim("gaming", OUTCOME_HELD, REASON_RECORD_UNAVAILABLE);
	report_summarise(&report);
	json = json_of_report(&report);
	assert_json(json, "outcome", "held");
	assert_json(json, "reason", "record-unavailable");
	claim = json_object_array_get_idx(json_at(json, "claims"), 0);
	assert_json(claim, "outcome", "held");
	assert_json(claim, "detail", "why");
	json_object_put(json);
}

static void a_claimed_function(void **state)
{
	struct report_function *f = &report.functions[0];
	struct json_object *json, *claim, *function;

	(void)state;
	add_claim("gaming", OUTCOME_CLAIMED, REASON_NONE);
	report.claims[0].n = 1;
	report.n_functions = 1;
	assert_true(pci_address_parse("0000:01:00.0", &f->configured));
	assert_true(pci_address_parse("10000:e1:00.0", &f->address));
	assert_true(pci_path_parse("10000:e0:1d.0/00.0", &f->path));
	f->found = true;
	f->vendor = 0x10de;
	f->device = 0x24;
	f->match = MATCH_MOVED;
	f->group = 14;
	str_copy(f->driver, sizeof(f->driver), "vfio-pci");
	report_summarise(&report);
	json = json_of_report(&report);
	assert_json(json, "outcome", "claimed");
	claim = json_object_array_get_idx(json_at(json, "claims"), 0);
	assert_json(claim, "name", "gaming");
	assert_json(claim, "outcome", "claimed");
	assert_no_json(claim, "reason");
	assert_no_json(claim, "detail");
	function = json_object_array_get_idx(json_at(claim, "functions"), 0);
	assert_json(function, "configured", "0000:01:00.0");
	assert_json(function, "address", "10000:e1:00.0");
	assert_json(function, "path", "10000:e0:1d.0/00.0");
	assert_json(function, "id", "10de:0024");
	assert_json(function, "match", "moved");
	assert_json_int(function, "group", 14);
	assert_json_null(function, "previous_driver");
	assert_json(function, "driver", "vfio-pci");
	json_object_put(json);
}

static void what_was_not_found_is_null(void **state)
{
	struct json_object *json, *claim, *function;

	(void)state;
	add_claim("gaming", OUTCOME_KEPT, REASON_DEVICE_ABSENT);
	report.claims[0].n = 1;
	report.n_functions = 1;
	report.functions[0].group = -1;
	report_summarise(&report);
	json = json_of_report(&report);
	assert_json(json, "reason", "device-absent");
	assert_json(json, "detail", "why");
	claim = json_object_array_get_idx(json_at(json, "claims"), 0);
	assert_json(claim, "reason", "device-absent");
	assert_json(claim, "detail", "why");
	function = json_object_array_get_idx(json_at(claim, "functions"), 0);
	assert_json_null(function, "address");
	assert_json_null(function, "group");
	assert_json_null(function, "driver");
	assert_json(function, "match", "absent");
	json_object_put(json);
}

static void summaries(void **state)
{
	static const struct {
		enum outcome first, second;
		enum reason first_reason, second_reason;
		enum outcome outcome;
		enum reason reason;
	} cases[] = {
		{ OUTCOME_CLAIMED, OUTCOME_CLAIMED, REASON_NONE, REASON_NONE,
		  OUTCOME_CLAIMED, REASON_NONE },
		{ OUTCOME_CLAIMED, OUTCOME_KEPT, REASON_NONE, REASON_BIND_FAILED,
		  OUTCOME_PARTIAL, REASON_BIND_FAILED },
		{ OUTCOME_KEPT, OUTCOME_CLAIMED, REASON_DEVICE_ABSENT, REASON_NONE,
		  OUTCOME_PARTIAL, REASON_DEVICE_ABSENT },
		{ OUTCOME_KEPT, OUTCOME_KEPT, REASON_DEVICE_ABSENT, REASON_BIND_FAILED,
		  OUTCOME_KEPT, REASON_DEVICE_ABSENT },
		{ OUTCOME_KEPT, OUTCOME_HELD, REASON_DEVICE_ABSENT,
		  REASON_RECORD_UNAVAILABLE, OUTCOME_HELD, REASON_DEVICE_ABSENT },
		{ OUTCOME_CLAIMED, OUTCOME_HELD, REASON_NONE, REASON_RECORD_UNAVAILABLE,
		  OUTCOME_PARTIAL, REASON_RECORD_UNAVAILABLE },
		/* vfio_claim=NAME: the other one was not wanted */
		{ OUTCOME_CLAIMED, OUTCOME_KEPT, REASON_NONE, REASON_OFF, OUTCOME_CLAIMED,
		  REASON_NONE },
		/* vfio-claim.off: neither was */
		{ OUTCOME_KEPT, OUTCOME_KEPT, REASON_OFF, REASON_OFF, OUTCOME_KEPT,
		  REASON_OFF },
		{ OUTCOME_KEPT, OUTCOME_KEPT, REASON_OFF, REASON_BIND_FAILED,
		  OUTCOME_KEPT, REASON_BIND_FAILED },
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		begin(state);
		add_claim("a", cases[i].first, cases[i].first_reason);
		add_claim("b", cases[i].second, cases[i].second_reason);
		report_summarise(&report);
		assert_that(report.outcome == cases[i].outcome &&
				    report.reason == cases[i].reason,
			    "case %zu: %s, %s", i, outcome_name(report.outcome),
			    reason_name(report.reason));
	}
}

static void a_reason_that_stands_is_kept(void **state)
{
	(void)state;
	report.reason = REASON_CONFIG_ERROR;
	report_summarise(&report);
	assert_int_equal(report.outcome, OUTCOME_KEPT);
	assert_int_equal(report.reason, REASON_CONFIG_ERROR);
}

/* Every byte, everywhere a text of others can get to. */
static void hostile_strings(void **state)
{
	struct json_object *json, *warning, *display;
	char text[65];

	(void)state;
	for (unsigned part = 0; part < 4; part++) {
		begin(state);
		for (unsigned i = 0; i < 64; i++)
			text[i] = (char)(part * 64 + i ? part * 64 + i : '"');
		text[64] = '\0';
		add_claim("x", OUTCOME_KEPT, REASON_BIND_FAILED);
		memcpy(report.claims[0].name, text, sizeof(report.claims[0].name) - 1);
		report.claims[0].n = report.n_functions = report.n_displays = 1;
		str_copy(report.kernel, sizeof(report.kernel), text);
		str_copy(report.claims[0].detail, sizeof(report.claims[0].detail), text);
		str_copy(report.functions[0].driver, PCI_DRIVER_LEN, text);
		str_copy(report.functions[0].previous_driver, PCI_DRIVER_LEN, text);
		str_copy(report.displays[0].driver, PCI_DRIVER_LEN, text);
		report_warn(&report, text, text);
		report_summarise(&report);
		json = json_of_report(&report);
		warning = json_object_array_get_idx(json_at(json, "warnings"), 0);
		display = json_object_array_get_idx(json_at(json, "host_displays"), 0);
		assert_int_equal(json_object_get_string_len(json_at(warning, "detail")),
				 part < 2 ? 64 : 128);
		if (part < 2) {
			assert_json(json, "kernel", text);
			assert_json(json, "detail", text);
			assert_json(warning, "detail", text);
			text[63] = '\0';
			assert_json(display, "driver", text);
		}
		json_object_put(json);
	}
}

static void warnings_are_bounded(void **state)
{
	struct json_object *json;

	(void)state;
	for (unsigned i = 0; i < 3 * REPORT_MAX_WARNINGS; i++)
		report_warn(&report, "a-code-that-is-longer-than-there-is-room-for", "x");
	assert_int_equal(report.n_warnings, REPORT_MAX_WARNINGS);
	json = json_of_report(&report);
	assert_int_equal(json_object_array_length(json_at(json, "warnings")),
			 REPORT_MAX_WARNINGS);
	json_object_put(json);
}

static void fill(void)
{
	char text[REPORT_DETAIL_LEN];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = '\0';
	for (unsigned i = 0; i < CONF_MAX_CLAIMS; i++) {
		add_claim(text, OUTCOME_KEPT, REASON_DEVICE_AMBIGUOUS);
		report.claims[i].first = i * 4;
		report.claims[i].n = 4;
		memcpy(report.claims[i].detail, text, sizeof(text));
	}
	report.n_functions = CONF_MAX_FUNCTIONS;
	for (unsigned i = 0; i < CONF_MAX_FUNCTIONS; i++) {
		struct report_function *f = &report.functions[i];

		memset(f, 0xff, sizeof(*f));
		f->found = f->optional = true;
		f->match = MATCH_AMBIGUOUS;
		f->group = INT32_MAX;
		f->path.depth = PCI_PATH_DEPTH;
		str_copy(f->driver, sizeof(f->driver), text);
		str_copy(f->previous_driver, sizeof(f->previous_driver), text);
	}
	report.n_displays = REPORT_MAX_DISPLAYS;
	for (unsigned i = 0; i < REPORT_MAX_DISPLAYS; i++)
		str_copy(report.displays[i].driver, PCI_DRIVER_LEN, text);
	for (unsigned i = 0; i < REPORT_MAX_WARNINGS; i++)
		report_warn(&report, text, text);
	report.elapsed_us = UINT64_MAX;
	report.record = (struct record){
		.kind = RECORD_PARTITION,
		.attempts = UINT32_MAX,
		.confirmed = true,
		.fingerprint = UINT64_MAX,
		.partuuid = "12345678-9abc-def0-1234-56789abcdef0",
	};
}

/* The largest that the limits of the configuration allow. */
static void the_largest(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct json_object *json;

	(void)state;
	fill();
	report_summarise(&report);
	json = json_of_report(&report);
	assert_int_equal(json_object_array_length(json_at(json, "claims")),
			 CONF_MAX_CLAIMS);
	assert_json(json_at(json, "record"), "kind", "partition");
	json_object_put(json);
	assert_int_equal(report_write(&s->fake.fs, REPORT_PATH, &report), 0);
	scene_free(s);
}

static void writing(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct json_object *json;

	(void)state;
	assert_int_equal(report_write(&s->fake.fs, "some/where", &report), 0);
	assert_string_equal(s->fake.report_path, "some/where");
	json = json_of(s->fake.report, s->fake.report_len);
	assert_json_int(json, "version", 1);
	json_object_put(json);
	fake_fail(&s->fake, "run/", EROFS, 1);
	assert_int_equal(report_write(&s->fake.fs, REPORT_PATH, &report), -EROFS);
	scene_free(s);
}

static void words_are_stable(void **state)
{
	static const char *const reasons[REASON_COUNT] = {
		"",
		"off",
		"safe-mode",
		"config-error",
		"iommu-inactive",
		"no-iommu-mode",
		"device-absent",
		"device-changed",
		"device-ambiguous",
		"dry-run",
		"group-not-viable",
		"not-an-endpoint",
		"last-display",
		"record-unavailable",
		"module-unavailable",
		"unbind-failed",
		"bind-failed",
		"deadline",
	};

	(void)state;
	for (enum reason r = 0; r < REASON_COUNT; r++)
		assert_string_equal(reason_name(r), reasons[r]);
	assert_string_equal(outcome_name(OUTCOME_KEPT), "kept");
	assert_string_equal(outcome_name(OUTCOME_HELD), "held");
	assert_string_equal(outcome_name(OUTCOME_PARTIAL), "partial");
	assert_string_equal(outcome_name(OUTCOME_CLAIMED), "claimed");
}

int main(void)
{
#define FRESH(test) cmocka_unit_test_setup(test, begin)
	const struct CMUnitTest tests[] = {
		FRESH(the_smallest),
		FRESH(records),
		FRESH(what_is_held),
		FRESH(a_claimed_function),
		FRESH(what_was_not_found_is_null),
		FRESH(summaries),
		FRESH(a_reason_that_stands_is_kept),
		FRESH(hostile_strings),
		FRESH(warnings_are_bounded),
		FRESH(the_largest),
		FRESH(writing),
		FRESH(words_are_stable),
	};

	return UNIT_RUN(tests);
}
