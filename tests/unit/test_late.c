/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Late arrivals: what they are not taken for, what is told of them, and who is waited
 * for.
 */
#include "unit.h"

#include "early.h"
#include "held.h"
#include "late.h"
#include "state.h"

/* ---- whose it is */

/* Set up when no twin was there; the host has one by now. */
static void a_box_beside_a_twin(struct scene *s)
{
	scene_desktop(s);
	scene_add_twin(s);
	scene_claim_with(s, "unique=yes optional=yes", "gaming", GPU, AUDIO, USB, NULL);
}

static void the_hosts_twin_is_not_the_box(void **state)
{
	struct scene *s = started(a_box_beside_a_twin);
	static const char *const box[] = { USB, AUDIO, GPU };

	(void)state;
	assert_driver(s, GPU, "vfio-pci");
	for (size_t i = 0; i < ARRAY_SIZE(box); i++) {
		fake_pull(&s->fake, box[i]);
		assert_int_equal(scene_event_whole(s, "remove", box[i]), 0);
	}
	/* as after "udevadm trigger" */
	assert_int_equal(scene_event_whole(s, "add", TWIN), 0);
	assert_int_equal(scene_event_whole(s, "add", TWIN_AUDIO), 0);
	assert_false(fake_at(&s->fake, TWIN)->touched);
	assert_false(fake_at(&s->fake, TWIN_AUDIO)->touched);
	scene_free(s);
}

/* A serial number proves it, in whatever socket it is plugged. */
static void a_box_with_a_serial(struct scene *s)
{
	struct fake_function *gpu;

	scene_desktop(s);
	gpu = fake_at(&s->fake, GPU);
	gpu->has_serial = true;
	gpu->serial = 0x1234;
	scene_conf(s, "[claim gaming]\n");
	scene_add_line(s, gpu, "optional=yes");
	scene_add_twin(s);
	fake_at(&s->fake, TWIN)->ids = gpu->ids;
	fake_at(&s->fake, TWIN)->has_serial = true;
	fake_at(&s->fake, TWIN)->serial = 0x1234;
	fake_pull(&s->fake, GPU);
	fake_pull(&s->fake, AUDIO);
	fake_pull(&s->fake, USB);
	fake_pull(&s->fake, TWIN);
	fake_pull(&s->fake, TWIN_AUDIO);
}

static void a_box_in_another_socket(void **state)
{
	struct scene *s = started(a_box_with_a_serial);

	(void)state;
	fake_plug(&s->fake, GPU, 0);
	assert_int_equal(scene_event_whole(s, "add", GPU), 0);
	assert_driver(s, GPU, "vfio-pci");
	fake_pull(&s->fake, GPU);
	assert_int_equal(scene_event_whole(s, "remove", GPU), 0);
	assert_warning(s, "device-removed", GPU " was removed");
	fake_plug(&s->fake, TWIN, 0);
	assert_int_equal(scene_event_whole(s, "add", TWIN), 0);
	assert_no_warning(s, "device-removed");
	assert_driver(s, TWIN, "vfio-pci");
	assert_warning(s, "device-moved", GPU " is now at " TWIN);
	scene_free(s);
}

/* nvidia waits inside the kernel as long as nvidia_drm has the card. */
static void nvidia_drm_has_it(void **state)
{
	struct scene *s = started(a_box);

	(void)state;
	fake_driver(&s->fake, "nouveau")->name = "nvidia";
	assert_int_equal(fake_core_load(&s->fake, "nvidia"), 0);
	fake_overlay(&s->fake, PCI_DEVICES "/" GPU "/drm", "");
	fake_plug(&s->fake, GPU, 0);
	assert_driver(s, GPU, "nvidia");
	assert_int_equal(scene_event_whole(s, "add", GPU), 0);
	assert_driver(s, GPU, "nvidia");
	assert_contains(s->state.report.claims[0].detail, "nvidia has it already");
	scene_free(s);
}

/* ---- what is set before it is bound */

static void audio_has_settings(struct scene *s)
{
	scene_desktop(s);
	scene_claim(s, "gaming", GPU, USB, NULL);
	scene_add_line(s, fake_at(&s->fake, AUDIO),
		       "optional=yes reset=pm rebar=1:1G idle=d3hot");
	fake_add_offers(fake_at(&s->fake, AUDIO));
	fake_pull(&s->fake, AUDIO);
}

/* Before the kernel is done with it a BAR cannot be resized. */
static void its_settings_are_made_and_told(void **state)
{
	struct scene *s = started(audio_has_settings);

	(void)state;
	fake_plug(&s->fake, AUDIO, 60);
	assert_int_equal(scene_event(s, "add", AUDIO), 0);
	assert_driver(s, AUDIO, "vfio-pci");
	assert_int_equal(fake_at(&s->fake, AUDIO)->rebar_size, 10);
	assert_false(fake_at(&s->fake, AUDIO)->d3cold_allowed);
	assert_no_warning(s, "rebar-refused");
	assert_no_warning(s, "idle-refused");
	assert_warning(s, "reset-refused", AUDIO ": reset = pm: its reset methods are");
	scene_free(s);
}

/* ---- what is pulled out and not awaited */

static void awaited_and_not(struct scene *s)
{
	scene_desktop(s);
	scene_add_twin(s);
	scene_claim_with(s, "optional=yes", "box", GPU, AUDIO, USB, NULL);
	scene_claim(s, "other", TWIN, TWIN_AUDIO, NULL);
}

static void only_what_is_awaited_is_promised(void **state)
{
	struct scene *s = started(awaited_and_not);

	(void)state;
	fake_pull(&s->fake, TWIN_AUDIO);
	assert_int_equal(scene_event_whole(s, "remove", TWIN_AUDIO), 0);
	assert_string_equal(s->fake.log[0] + 3,
			    "vfio-claim: " TWIN_AUDIO " was removed\n");
	fake_pull(&s->fake, USB);
	assert_int_equal(scene_event_whole(s, "remove", USB), 0);
	assert_contains(s->fake.report,
			USB " was removed; it is claimed again when it is back");
	scene_free(s);
}

static bool has_model(const struct scene *s, const char *model)
{
	for (unsigned i = 0; i < s->fake.n_models; i++)
		if (str_equal(s->fake.models[i], model))
			return true;
	return false;
}

/* Upper case, as in PCI_ID= of a uevent, by which 60-vfio-claim.rules asks. */
static void udev_finds_the_models(void **state)
{
	struct scene *s = started(awaited_and_not);

	(void)state;
	assert_true(s->fake.awaited);
	assert_true(has_model(s, "10DE:2484"));
	assert_true(has_model(s, "10DE:228B"));
	assert_true(has_model(s, "10DE:1AD8"));
	assert_int_equal(s->fake.n_models, 3);
	scene_free(s);
	s = started(scene_desktop);
	assert_false(s->fake.awaited);
	assert_int_equal(s->fake.n_models, 0);
	scene_free(s);
}

/* ---- while others are at work */

static void late_on_a_disk(struct scene *s)
{
	audio_is_late(s);
	s->fake.partitions = FIRST "\n";
	fake_add_partition(&s->fake, "/dev/sda1", FIRST);
}

static struct scene *settling;
static struct start_state taken;

static void settle_ends(void)
{
	taken.hold = false;
	taken.settled = true;
	assert_int_equal(state_save(&settling->fake.fs, &taken), 0);
}

static void settle_is_waited_for(void **state)
{
	(void)state;
	settling = started(late_on_a_disk);
	assert_int_equal(state_take(&settling->fake.fs, &taken), 0);
	fake_plug(&settling->fake, AUDIO, 0);
	early_waits = settle_ends;
	assert_int_equal(scene_event_whole(settling, "add", AUDIO), 0);
	early_waits = NULL;
	assert_true(
		act_has(&settling->state.log, fake_at(&settling->fake, AUDIO)->address));
	scene_free(settling);
}

/* It leaves nothing where nothing is awaited any more. */
static void settle_leaves_nothing(void **state)
{
	(void)state;
	settling = started(late_on_a_disk);
	assert_int_equal(state_take(&settling->fake.fs, &taken), 0);
	fake_plug(&settling->fake, AUDIO, 0);
	assert_int_equal(scene_event_whole(settling, "add", AUDIO), -ENOENT);
	assert_false(fake_at(&settling->fake, AUDIO)->touched);
	scene_free(settling);
}

static void nobody_waits_any_more(void)
{
	settling->fake.awaited = false;
}

/* "vfio-claim release" was faster. */
static void it_is_not_awaited_any_more(void **state)
{
	(void)state;
	settling = started(audio_is_late);
	fake_plug(&settling->fake, AUDIO, 0);
	early_waits = nobody_waits_any_more;
	assert_int_equal(scene_event_whole(settling, "add", AUDIO), 0);
	early_waits = NULL;
	assert_false(fake_at(&settling->fake, AUDIO)->touched);
	scene_free(settling);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(the_hosts_twin_is_not_the_box),
		cmocka_unit_test(a_box_in_another_socket),
		cmocka_unit_test(nvidia_drm_has_it),
		cmocka_unit_test(its_settings_are_made_and_told),
		cmocka_unit_test(only_what_is_awaited_is_promised),
		cmocka_unit_test(udev_finds_the_models),
		cmocka_unit_test(settle_is_waited_for),
		cmocka_unit_test(settle_leaves_nothing),
		cmocka_unit_test(it_is_not_awaited_any_more),
	};

	return UNIT_RUN(tests);
}
