/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Late arrivals: what comes, goes and comes back after start. */
#include "unit.h"

#include "held.h"
#include "json.h"
#include "late.h"

/* ---- what comes */

static void it_joins_its_claim(void **state)
{
	struct scene *s = started(audio_is_late);
	struct json_object *json;

	(void)state;
	assert_true(s->fake.awaited);
	fake_plug(&s->fake, AUDIO, 0);
	assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
	assert_driver(s, AUDIO, "vfio-pci");
	assert_driver(s, GPU, "vfio-pci");
	json = json_of(s->fake.report, s->fake.report_len);
	assert_json(json, "stage", "event");
	assert_json(json, "outcome", "claimed");
	assert_contains(s->fake.report, "\"address\": \"" AUDIO "\"");
	json_object_put(json);
	assert_contains(s->fake.log[0], AUDIO);
	assert_no_warning(s, "late-arrival");
	/* a second event of it, as after another coldplug, finds nothing to do */
	s->fake.writes = s->fake.n_log = 0;
	assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
	assert_true(s->state.nothing_new);
	assert_int_equal(s->fake.writes + s->fake.n_log, 0);
	scene_free(s);
}

/* The uevent is out before a driver can match: that is waited for, and the race won. */
static void before_a_driver_that_is_loaded(void **state)
{
	struct scene *s = started(audio_is_late);

	(void)state;
	assert_int_equal(fake_core_load(&s->fake, "snd_hda_intel"), 0);
	fake_plug(&s->fake, AUDIO, 60);
	fake_slept_ms = 0;
	assert_int_equal(scene_event(s, "add", AUDIO), 0);
	assert_driver(s, AUDIO, "vfio-pci");
	assert_true(fake_slept_ms > 0);
	scene_free(s);
}

#define SOUND "sys/class/sound/controlC1"
#define NODE "/dev/snd/controlC1"
#define BELOW(address) "../../devices/pci0000:00/" ROOT_PORT "/" address "/sound/card1/x"

/* Wherever the driver comes in between: it is on vfio-pci, or as the host has it. */
static void a_driver_comes_in_between(void **state)
{
	struct scene *before = started(audio_is_late), *s = started(audio_is_late);
	unsigned won = 0, lost = 0;

	(void)state;
	assert_int_equal(fake_core_load(&before->fake, "snd_hda_intel"), 0);
	fake_overlay(&before->fake, SOUND, BELOW(AUDIO));
	for (unsigned delay = 1; delay < 100; delay++)
		for (int used = 0; used < 2; used++) {
			struct fake_function *audio;

			scene_copy(s, before);
			s->fake.opened = used ? NODE : NULL;
			fake_plug(&s->fake, AUDIO, delay);
			assert_int_equal(scene_event(s, "add", AUDIO), 0);
			audio = fake_at(&s->fake, AUDIO);
			assert_driver(s, GPU, "vfio-pci");
			assert_string_equal(audio->driver, audio->override[0]
								   ? "vfio-pci"
								   : "snd_hda_intel");
			assert_true(used || audio->override[0]);
			if (audio->override[0])
				won += used;
			else
				lost++;
			if (!audio->override[0])
				assert_warning(s, "late-arrival", "snd_hda_intel has it");
		}
	assert_true(won > 0 && lost > 0);
	scene_free(before);
	scene_free(s);
}

/* It is made to let go only where nobody uses it, for sure. */
static void the_host_has_it_already(void **state)
{
	static const struct {
		const char *opened, *below;
		bool taken;
	} cases[] = {
		{ NULL, BELOW(AUDIO), true },
		{ "/dev/null", BELOW(AUDIO), true },
		{ NODE, BELOW(TWIN_AUDIO), true },
		{ NODE, BELOW(AUDIO), false },
		{ "/dev/nvidia0", NULL, false },
		/* no /proc: who knows */
		{ "", NULL, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		struct scene *s = started(audio_is_late);

		assert_int_equal(fake_core_load(&s->fake, "snd_hda_intel"), 0);
		s->fake.opened = cases[i].opened;
		fake_overlay(&s->fake, SOUND, cases[i].below);
		fake_plug(&s->fake, AUDIO, 0);
		assert_driver(s, AUDIO, "snd_hda_intel");
		assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
		assert_driver(s, AUDIO, cases[i].taken ? "vfio-pci" : "snd_hda_intel");
		assert_driver(s, GPU, "vfio-pci");
		assert_reason(s, "gaming", REASON_NONE);
		if (!cases[i].taken) {
			assert_string_equal(fake_at(&s->fake, AUDIO)->override, "");
			assert_warning(s, "late-arrival", "vfio-claim claim gaming");
			assert_contains(s->fake.report, "\"driver\": \"snd_hda_intel\"");
		}
		scene_free(s);
	}
}

static void a_usb_controller_with_a_device(void **state)
{
	(void)state;
	for (int device = 0; device < 2; device++) {
		struct scene *s = started(a_box);

		fake_driver(&s->fake, "xhci_hcd")->loaded = true;
		s->fake.usb = device ? "1-2" : NULL;
		fake_overlay(&s->fake, "sys/bus/usb/devices/1-2",
			     "../../../devices/pci0000:00/" ROOT_PORT "/" USB
			     "/usb1/1-2");
		fake_plug(&s->fake, USB, 0);
		fake_plug(&s->fake, GPU, 0);
		assert_int_equal(scene_event_whole(s, "add", GPU), 0);
		assert_driver(s, USB, device ? "xhci_hcd" : "vfio-pci");
		assert_driver(s, GPU, device ? "" : "vfio-pci");
		assert_reason(s, "gaming", device ? REASON_UNBIND_FAILED : REASON_NONE);
		scene_free(s);
	}
}

/* A network card or a disk is in use, whatever it seems. */
static void no_other_kind_is_made_to_let_go(void **state)
{
	struct scene *s = scene_new(audio_is_late);

	(void)state;
	for (char *c = s->conf; (c = strstr(c, "040300")); c++)
		memcpy(c, "020000", 6);
	scene_run(s);
	fake_plug(&s->fake, AUDIO, 0);
	fake_at(&s->fake, AUDIO)->ids.class = 0x020000;
	str_copy(fake_at(&s->fake, AUDIO)->driver, PCI_DRIVER_LEN, "e1000e");
	assert_int_equal(scene_event(s, "add", AUDIO), 0);
	assert_driver(s, AUDIO, "e1000e");
	assert_warning(s, "late-arrival", "in use");
	scene_free(s);
}

static void a_whole_card(void **state)
{
	static const char *const functions[] = { GPU, AUDIO, USB };
	struct scene *s = started(a_box);

	(void)state;
	assert_reason(s, "gaming", REASON_DEVICE_ABSENT);
	assert_true(s->fake.awaited);
	assert_int_equal(s->fake.loads, 0);
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		fake_plug(&s->fake, functions[i], 0);
		assert_int_equal(scene_event_whole(s, "add", functions[i]), 0);
		assert_driver(s, functions[i], "vfio-pci");
		assert_reason(s, "gaming", REASON_NONE);
		assert_int_equal(s->state.report.outcome, OUTCOME_CLAIMED);
	}
	assert_int_equal(s->state.report.n_displays, 1);
	scene_free(s);
}

/* All of it is taken by the first event, whichever that is. */
static void a_whole_card_at_once(void **state)
{
	static const char *const functions[] = { GPU, AUDIO, USB };

	(void)state;
	for (size_t first = 0; first < ARRAY_SIZE(functions); first++) {
		struct scene *s = started(a_box);

		for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
			fake_plug(&s->fake, functions[i], 0);
		assert_int_equal(scene_event(s, "add", functions[first]), 0);
		for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
			assert_driver(s, functions[i], "vfio-pci");
		scene_free(s);
	}
}

static void of_no_concern(void **state)
{
	struct scene *s = started(audio_is_late);

	(void)state;
	scene_add_twin(s);
	assert_int_equal(scene_event_whole(s, "add", TWIN), 0);
	assert_true(s->state.nothing_new);
	/* of the same model as what is awaited: it is looked at, and left alone */
	assert_int_equal(scene_event_whole(s, "add", TWIN_AUDIO), 0);
	assert_true(s->state.nothing_new);
	assert_false(fake_at(&s->fake, TWIN_AUDIO)->touched);
	/* one that has vanished since */
	assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
	assert_true(s->state.nothing_new);
	assert_int_equal(scene_event_whole(s, "remove", TWIN), 0);
	assert_true(s->state.nothing_new);
	assert_int_equal(s->fake.n_log, 0);
	scene_free(s);
}

/* ---- what goes */

static void pulled_and_plugged_again(void **state)
{
	struct scene *s = started(a_box);

	(void)state;
	for (int times = 0; times < 20; times++) {
		fake_plug(&s->fake, GPU, 0);
		assert_int_equal(scene_event_whole(s, "add", GPU), 0);
		assert_driver(s, GPU, "vfio-pci");
		fake_plug(&s->fake, AUDIO, 0);
		assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
		assert_no_warning(s, "device-removed");
		fake_pull(&s->fake, AUDIO);
		s->fake.n_log = 0;
		assert_int_equal(scene_event_whole(s, "remove", AUDIO), 0);
		assert_warning(s, "device-removed", AUDIO " was removed");
		assert_contains(s->fake.log[0], AUDIO " was removed");
		assert_reason(s, "gaming", REASON_NONE);
		fake_pull(&s->fake, GPU);
		assert_int_equal(scene_event_whole(s, "remove", GPU), 0);
		assert_reason(s, "gaming", REASON_DEVICE_ABSENT);
		assert_int_equal(s->state.report.outcome, OUTCOME_KEPT);
		assert_contains(s->fake.report, "device-removed");
		assert_int_equal(s->state.log.n, 0);
		s->fake.n_log = 0;
	}
	scene_free(s);
}

/* ---- what stays with the host */

static void no_iommu(void **state)
{
	struct scene *s = started(a_box);

	(void)state;
	s->fake.iommu = false;
	fake_plug(&s->fake, GPU, 0);
	assert_int_equal(scene_event_whole(s, "add", GPU), 0);
	assert_reason(s, "gaming", REASON_IOMMU_INACTIVE);
	assert_contains(s->fake.report, "\"reason\": \"iommu-inactive\"");
	assert_driver(s, GPU, "");
	assert_int_equal(s->fake.writes + s->fake.loads, 0);
	/* it may be tried again */
	s->fake.iommu = true;
	assert_int_equal(scene_event_whole(s, "add", GPU), 0);
	assert_driver(s, GPU, "vfio-pci");
	scene_free(s);
}

static void another_card_in_its_place(void **state)
{
	struct scene *s = started(audio_is_late);

	(void)state;
	fake_plug(&s->fake, AUDIO, 0);
	fake_at(&s->fake, AUDIO)->ids.subdevice++;
	assert_int_equal(scene_event(s, "add", AUDIO), 0);
	assert_driver(s, AUDIO, "");
	assert_false(fake_at(&s->fake, AUDIO)->touched);
	assert_driver(s, GPU, "vfio-pci");
	scene_free(s);
}

static void the_last_display(void **state)
{
	static const char *const words[] = { "", "require-display = no\n",
					     "require-display = no\nrecord = none\n" };
	static const enum reason reasons[] = { REASON_LAST_DISPLAY,
					       REASON_RECORD_UNAVAILABLE, REASON_NONE };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		struct scene *s = scene_new(a_box);

		/* no boot brings it back: it is not counted, whatever record there is */
		s->fake.efi = true;
		fake_at(&s->fake, HOST_GPU)->ids.class = 0x028000;
		scene_conf(s, "[host]\n");
		scene_conf(s, words[i]);
		scene_run(s);
		fake_plug(&s->fake, GPU, 0);
		assert_int_equal(scene_event(s, "add", GPU), 0);
		assert_reason(s, "gaming", reasons[i]);
		assert_driver(s, GPU, reasons[i] == REASON_NONE ? "vfio-pci" : "");
		scene_free(s);
	}
}

/* Who switched it off, or has let it go, did not mean until the next plug. */
static void not_in_this_boot(void **state)
{
	static const char *const cmdlines[] = { "vfio_claim=off", "vfio_claim=dry-run",
						"vfio_claim=other" };
	struct scene *s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cmdlines); i++) {
		s = scene_new(a_box);
		s->fake.cmdline = cmdlines[i];
		scene_run(s);
		assert_false(s->fake.awaited);
		assert_int_equal(scene_event(s, "add", GPU), -ENOENT);
		scene_free(s);
	}
	s = scene_new(a_box);
	fake_plug(&s->fake, GPU, 0);
	s->fake.iommu = false;
	scene_run(s);
	assert_reason(s, "gaming", REASON_IOMMU_INACTIVE);
	assert_false(s->fake.awaited);
	scene_free(s);
	s = started(a_box);
	s->fake.awaited = false;
	fake_plug(&s->fake, GPU, 0);
	assert_int_equal(scene_event_whole(s, "add", GPU), -ENOENT);
	assert_driver(s, GPU, "");
	scene_free(s);
}

static void nothing_is_optional(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
	scene_run(s);
	assert_false(s->fake.awaited);
	assert_int_equal(s->fake.state_len, 0);
	scene_free(s);
}

static void other_words_than_those_of_the_boot(void **state)
{
	struct scene *s;

	(void)state;
	for (int how = 0; how < 4; how++) {
		s = started(audio_is_late);
		if (how == 0)
			scene_conf(s, "# mine\n");
		else if (how == 1)
			s->fake.cmdline = "vfio_claim=gaming";
		else if (how == 2)
			s->fake.cmdline = "vfio_claim=off";
		else
			s->fake.conf_meta.mode |= 0022;
		fake_plug(&s->fake, AUDIO, 0);
		s->fake.report_len = 0;
		assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
		assert_driver(s, AUDIO, "");
		assert_false(s->fake.awaited);
		assert_int_equal(s->fake.report_len, 0);
		assert_contains(s->fake.log[0], "late arrivals stay with the host");
		scene_free(s);
	}
}

/* ---- while settle is awaited, too */

static void held_audio_is_late(struct scene *s)
{
	make(s);
	s->conf[0] = '\0';
	scene_claim(s, "gaming", GPU, USB, NULL);
	scene_add_line(s, fake_at(&s->fake, AUDIO), "optional=yes");
	fake_pull(&s->fake, AUDIO);
}

static void it_is_held_for_settle(void **state)
{
	struct scene *before, *s = held(held_audio_is_late, &before);

	(void)state;
	fake_plug(&s->fake, AUDIO, 0);
	assert_int_equal(scene_event(s, "add", AUDIO), 0);
	assert_int_equal(s->state.report.claims[0].outcome, OUTCOME_HELD);
	assert_string_equal(fake_at(&s->fake, AUDIO)->override, "vfio-claim");
	assert_int_equal(s->fake.loads, 0);
	assert_int_equal(scene_settle_whole(s), 0);
	assert_driver(s, GPU, "vfio-pci");
	assert_driver(s, AUDIO, "vfio-pci");
	/* and from now on events bind */
	assert_int_equal(scene_settle(s), -ENOENT);
	fake_pull(&s->fake, AUDIO);
	assert_int_equal(scene_event(s, "remove", AUDIO), 0);
	fake_plug(&s->fake, AUDIO, 0);
	assert_int_equal(scene_event(s, "add", AUDIO), 0);
	assert_driver(s, AUDIO, "vfio-pci");
	finish(s, before);
}

static void settle_gives_it_back(void **state)
{
	struct scene *before, *s = held(held_audio_is_late, &before);

	(void)state;
	fake_plug(&s->fake, AUDIO, 0);
	assert_int_equal(scene_event(s, "add", AUDIO), 0);
	boot_of(s)->off.there = true;
	assert_int_equal(scene_settle_whole(s), 0);
	assert_reason(s, "gaming", REASON_OFF);
	for (unsigned i = 0; i < s->fake.n_functions; i++)
		assert_string_equal(s->fake.functions[i].override, "");
	assert_false(s->fake.awaited);
	finish(s, before);
}

/* Nothing was there to be held, and the file that switches all off is looked for. */
static void the_off_file_is_for_late_ones_too(void **state)
{
	struct scene *s = scene_new(a_box);

	(void)state;
	s->fake.partitions = FIRST "\n";
	fake_add_partition(&s->fake, "/dev/sda1", FIRST);
	boot_of(s)->off.there = true;
	scene_run(s);
	assert_int_equal(scene_settle(s), 0);
	assert_false(s->fake.awaited);
	fake_plug(&s->fake, GPU, 0);
	(void)scene_event(s, "add", GPU);
	assert_driver(s, GPU, "");
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(it_joins_its_claim),
		cmocka_unit_test(before_a_driver_that_is_loaded),
		cmocka_unit_test(a_driver_comes_in_between),
		cmocka_unit_test(the_host_has_it_already),
		cmocka_unit_test(a_usb_controller_with_a_device),
		cmocka_unit_test(no_other_kind_is_made_to_let_go),
		cmocka_unit_test(a_whole_card),
		cmocka_unit_test(a_whole_card_at_once),
		cmocka_unit_test(of_no_concern),
		cmocka_unit_test(pulled_and_plugged_again),
		cmocka_unit_test(no_iommu),
		cmocka_unit_test(another_card_in_its_place),
		cmocka_unit_test(the_last_display),
		cmocka_unit_test(not_in_this_boot),
		cmocka_unit_test(nothing_is_optional),
		cmocka_unit_test(other_words_than_those_of_the_boot),
		cmocka_unit_test(it_is_held_for_settle),
		cmocka_unit_test(settle_gives_it_back),
		cmocka_unit_test(the_off_file_is_for_late_ones_too),
	};

	return UNIT_RUN(tests);
}
