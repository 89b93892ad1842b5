/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The whole first stage on the model: what is reported, and what is left alone. */
#include "unit.h"

#include "json.h"
#include "scene.h"

static void make(struct scene *s)
{
	scene_desktop(s);
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
}

static struct json_object *report_of(struct scene *s)
{
	assert_true(s->fake.report_len > 0);
	return json_of(s->fake.report, s->fake.report_len);
}

static struct json_object *item(struct json_object *json, const char *key, size_t i)
{
	return json_object_array_get_idx(json_at(json, key), i);
}

static void a_claim(void **state)
{
	struct scene *s = scene_new(make);
	struct json_object *json, *claim, *usb, *display;

	(void)state;
	scene_run_whole(s);
	assert_driver(s, GPU, "vfio-pci");
	assert_driver(s, AUDIO, "vfio-pci");
	assert_driver(s, USB, "vfio-pci");
	assert_int_equal(s->fake.loads, 1);
	json = report_of(s);
	assert_json(json, "outcome", "claimed");
	assert_json(json, "stage", "start");
	assert_json(json, "kernel", s->fake.release);
	assert_no_json(json, "reason");
	assert_json(json_at(json, "record"), "kind", "none");
	claim = item(json, "claims", 0);
	usb = item(claim, "functions", 2);
	assert_json(usb, "address", USB);
	assert_json(usb, "previous_driver", "xhci_hcd");
	assert_json(usb, "driver", "vfio-pci");
	assert_json(usb, "match", "exact");
	assert_json_int(usb, "group", 1);
	assert_json_null(item(claim, "functions", 0), "previous_driver");
	display = item(json, "host_displays", 0);
	assert_json(display, "address", HOST_GPU);
	assert_json_null(display, "driver");
	assert_int_equal(json_object_array_length(json_at(json, "host_displays")), 1);
	assert_json(item(json, "warnings", 0), "code", "record-unavailable");
	json_object_put(json);
	assert_contains(s->fake.log[0],
			"<6>vfio-claim: gaming: claimed for vfio-pci: " GPU);
	assert_string_equal(s->fake.report_path, REPORT_PATH);
	scene_free(s);
}

static void unnamed_functions_are_not_touched(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	scene_add_twin(s);
	fake_core_load(&s->fake, "i915");
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 1)->skip = 1;
	scene_run_whole(s);
	assert_int_equal(s->state.report.outcome, OUTCOME_KEPT);
	for (unsigned i = 0; i < s->fake.n_functions; i++) {
		const struct fake_function *f = &s->fake.functions[i];
		bool ours = f->address.bus == 1;

		assert_int_equal(f->touched, ours);
	}
	scene_free(s);
}

static void a_second_run_changes_nothing(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);

	(void)state;
	scene_run_whole(s);
	scene_copy(before, s);
	scene_run_whole(s);
	assert_int_equal(s->state.report.outcome, OUTCOME_CLAIMED);
	assert_null(scene_not_as_found(s, before));
	scene_free(s);
	scene_free(before);
}

/* Nothing is claimed, so no vfio module is loaded and nothing is written. */
static void refusals_write_nothing(void **state)
{
	static const char *const cmdlines[] = { "vfio_claim=off", "vfio_claim=dry-run",
						"single",
						"vfio_claim=", "vfio_claim=other" };
	struct scene *s = scene_new(make);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cmdlines); i++) {
		s->fake.cmdline = cmdlines[i];
		scene_run_whole(s);
		assert_int_equal(s->fake.loads, 0);
		assert_int_equal(s->fake.writes, 0);
		assert_int_equal(s->state.report.outcome, OUTCOME_KEPT);
	}
	scene_free(s);
}

static void off_works_whatever_is_broken(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	s->fake.cmdline = "vfio_claim=off";
	s->fake.conf = "[claim x";
	scene_run_whole(s);
	assert_reason(s, NULL, REASON_OFF);
	s->fake.conf = NULL;
	scene_run_whole(s);
	assert_reason(s, NULL, REASON_OFF);
	fake_fail(&s->fake, "sys/", EIO, 0);
	scene_run_whole(s);
	assert_reason(s, NULL, REASON_OFF);
	assert_int_equal(s->fake.loads, 0);
	scene_free(s);
}

static void an_unreadable_command_line_may_say_off(void **state)
{
	char *text = malloc(64 * 1024);
	struct scene *s = scene_new(make);

	(void)state;
	fake_fail(&s->fake, "proc/cmdline", EIO, 0);
	scene_run_whole(s);
	assert_reason(s, NULL, REASON_OFF);
	s->fake.faults[0].error = 0;
	s->fake.cmdline = NULL;
	scene_run_whole(s);
	assert_reason(s, NULL, REASON_OFF);
	memset(text, 'x', 64 * 1024 - 1);
	text[64 * 1024 - 1] = '\0';
	fake_overlay(&s->fake, "proc/cmdline", text);
	scene_run_whole(s);
	assert_reason(s, NULL, REASON_OFF);
	assert_int_equal(s->fake.loads, 0);
	scene_free(s);
	free(text);
}

static void configuration_errors_have_a_line(void **state)
{
	struct scene *s = scene_new(make);
	struct json_object *json;

	(void)state;
	scene_conf(s, "colour = green\n");
	scene_run_whole(s);
	json = report_of(s);
	assert_json(json, "reason", "config-error");
	assert_json(json, "detail",
		    "/etc/vfio-claim.conf:5: unknown key in [claim]: colour");
	assert_json(json, "outcome", "kept");
	json_object_put(json);
	assert_contains(s->fake.log[0],
			"<4>vfio-claim: the host keeps everything: config-error: "
			"/etc/vfio-claim.conf:5: ");
	s->fake.conf = NULL;
	scene_run_whole(s);
	assert_contains(s->state.report.detail, "/etc/vfio-claim.conf: no such file");
	scene_free(s);
}

static void no_pci_at_all(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	fake_fail(&s->fake, PCI_DEVICES, EACCES, 0);
	scene_run_whole(s);
	assert_reason(s, NULL, REASON_DEVICE_ABSENT);
	assert_contains(s->state.report.detail, "cannot be listed");
	scene_free(s);
}

static void moved_functions_are_claimed_and_told(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct json_object *json, *function;

	(void)state;
	scene_claim_with(s, "unique=yes", "gaming", GPU, AUDIO, USB, NULL);
	fake_at(&s->fake, ROOT_PORT)->address.devfn = 6 << 3;
	for (unsigned i = 3; i < 6; i++)
		s->fake.functions[i].address.bus = 7;
	scene_run_whole(s);
	assert_driver(s, "0000:07:00.0", "vfio-pci");
	assert_driver(s, "0000:07:00.2", "vfio-pci");
	json = report_of(s);
	function = item(item(json, "claims", 0), "functions", 0);
	assert_json(function, "match", "moved");
	assert_json(function, "configured", GPU);
	assert_json(function, "address", "0000:07:00.0");
	assert_json(function, "path", "0000:00:06.0/00.0");
	assert_json(item(json, "warnings", 0), "code", "device-moved");
	assert_contains(
		json_object_get_string(json_at(item(json, "warnings", 0), "detail")),
		"is now at 0000:07:00.0, path 0000:00:06.0/00.0");
	json_object_put(json);
	scene_free(s);
}

static void two_claims_of_which_one_fails(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	scene_add_twin(s);
	scene_claim(s, "work", TWIN, TWIN_AUDIO, NULL);
	fake_fail(&s->fake, "xhci_hcd/unbind", EBUSY, 0);
	scene_run_whole(s);
	assert_int_equal(s->state.report.outcome, OUTCOME_PARTIAL);
	assert_reason(s, "gaming", REASON_UNBIND_FAILED);
	assert_reason(s, "work", REASON_NONE);
	assert_driver(s, GPU, "");
	assert_driver(s, USB, "xhci_hcd");
	assert_driver(s, TWIN, "vfio-pci");
	assert_int_equal(s->fake.n_log, 2);
	scene_free(s);
}

/* The second claim of a group fails: the first, though whole, is given back. */
static void a_shared_group_stands_or_falls_together(void **state)
{
	struct scene *s = scene_new(scene_desktop), *before = scene_new(scene_desktop);

	(void)state;
	scene_claim(s, "video", GPU, AUDIO, NULL);
	scene_claim(s, "usb", USB, NULL);
	fake_fail(&s->fake, "xhci_hcd/unbind", EBUSY, 0);
	scene_run_whole(s);
	assert_reason(s, "usb", REASON_UNBIND_FAILED);
	assert_reason(s, "video", REASON_GROUP_NOT_VIABLE);
	assert_null(scene_not_as_found(s, before));
	assert_int_equal(s->state.report.outcome, OUTCOME_KEPT);
	scene_free(s);
	scene_free(before);
}

static void the_report_cannot_be_written(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	fake_fail(&s->fake, REPORT_PATH, EROFS, 0);
	scene_run_whole(s);
	assert_driver(s, GPU, "vfio-pci");
	assert_int_equal(s->fake.n_log, 2);
	assert_contains(s->fake.log[1], "<4>vfio-claim: the report cannot be written");
	scene_free(s);
}

/* 64 claims of functions that are not there: bounded time, memory and log. */
static void as_many_as_there_can_be(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct json_object *json;
	char line[256];

	(void)state;
	for (unsigned i = 0; i < 64; i++) {
		snprintf(line, sizeof(line), "[claim c%u]\n", i);
		scene_conf(s, line);
		for (unsigned k = 0; k < 4; k++) {
			snprintf(line, sizeof(line),
				 "function = 0001:%02x:00.%u path=0001:%02x:00.%u "
				 "id=10de:2484 subsystem=1043:87c1 class=030000\n",
				 i, k, i, k);
			scene_conf(s, line);
		}
	}
	scene_run(s);
	assert_int_equal(s->state.report.n_claims, 64);
	assert_int_equal(s->state.report.n_functions, 256);
	json = json_of_report(&s->state.report);
	assert_int_equal(json_object_array_length(json_at(json, "claims")), 64);
	json_object_put(json);
	/* eight lines, even if one says that the report was not written */
	fake_fail(&s->fake, REPORT_PATH, ENOSPC, 0);
	scene_run_whole(s);
	assert_int_equal(s->fake.n_log, 8);
	assert_contains(s->fake.log[6], " more claims: see /run/vfio-claim/report.json");
	assert_contains(s->fake.log[7], "cannot be written");
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_claim),
		cmocka_unit_test(unnamed_functions_are_not_touched),
		cmocka_unit_test(a_second_run_changes_nothing),
		cmocka_unit_test(refusals_write_nothing),
		cmocka_unit_test(off_works_whatever_is_broken),
		cmocka_unit_test(an_unreadable_command_line_may_say_off),
		cmocka_unit_test(configuration_errors_have_a_line),
		cmocka_unit_test(no_pci_at_all),
		cmocka_unit_test(moved_functions_are_claimed_and_told),
		cmocka_unit_test(two_claims_of_which_one_fails),
		cmocka_unit_test(a_shared_group_stands_or_falls_together),
		cmocka_unit_test(the_report_cannot_be_written),
		cmocka_unit_test(as_many_as_there_can_be),
	};

	return UNIT_RUN(tests);
}
