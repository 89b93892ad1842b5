/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Late arrivals at which something fails, goes, or dies. */
#include "unit.h"

#include "late.h"
#include "state.h"

/* The GPU stays claimed, and its audio is on vfio-pci or as it came. */
static void judge(struct scene *s, const char *what, unsigned at)
{
	const struct fake_function *audio = NULL;

	for (unsigned i = 0; i < s->fake.n_functions; i++)
		if (s->fake.functions[i].ids.device == 0x228b)
			audio = &s->fake.functions[i];
	assert_non_null(audio);
	assert_driver(s, GPU, "vfio-pci");
	assert_driver(s, USB, "vfio-pci");
	if (audio->absent)
		return;
	assert_that(str_equal(audio->driver, audio->override) &&
			    (!audio->driver[0] || str_equal(audio->driver, "vfio-pci")),
		    "%s %u: driver '%s', override '%s'", what, at, audio->driver,
		    audio->override);
}

/* The audio of `before` is plugged in. Returns the accesses that its event takes. */
static unsigned plug(struct scene *before, struct scene *s)
{
	fake_plug(&before->fake, AUDIO, 0);
	before->fake.accesses = 0;
	scene_copy(s, before);
	assert_int_equal(scene_event(s, "add", AUDIO), 0);
	return s->fake.accesses;
}

static void a_fault_anywhere(void **state)
{
	struct scene *before = started(audio_is_late), *s = started(audio_is_late);
	const unsigned total = plug(before, s);
	unsigned claimed = 0;

	(void)state;
	for (unsigned at = 1; at <= total; at++)
		for (int after = 0; after < 2; after++) {
			scene_copy(s, before);
			s->fake.faults[0] = (struct fake_fault){ .at = at,
								 .error = EIO,
								 .after = after };
			if (scene_event_whole(s, "add", AUDIO) < 0)
				continue;
			judge(s, "fault", at);
			claimed +=
				str_equal(fake_at(&s->fake, AUDIO)->driver, "vfio-pci");
		}
	assert_true(claimed > 0 && claimed < total);
	scene_free(before);
	scene_free(s);
}

static void it_vanishes_anywhere(void **state)
{
	struct scene *before = started(audio_is_late), *s = started(audio_is_late);
	const unsigned total = plug(before, s);

	(void)state;
	for (unsigned at = 1; at <= total; at++) {
		scene_copy(s, before);
		fake_at(&s->fake, AUDIO)->goes_at = at;
		assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
		judge(s, "gone", at);
		/* its own event says so, and then it comes back */
		assert_int_equal(scene_event_whole(s, "remove", AUDIO), 0);
		fake_plug(&s->fake, AUDIO, 0);
		assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
		assert_driver(s, AUDIO, "vfio-pci");
	}
	scene_free(before);
	scene_free(s);
}

static void killed_anywhere(void **state)
{
	struct scene *before = started(audio_is_late), *s = started(audio_is_late);
	const unsigned total = plug(before, s);

	(void)state;
	/* two are before there is a worker: whether anything is awaited, and the state */
	for (unsigned at = 3; at <= total; at++)
		for (int after = 0; after < 2; after++) {
			scene_copy(s, before);
			s->fake.kill_at = at;
			s->fake.kill_after = after;
			assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
			judge(s, "killed", at);
			assert_warning(s, "deadline", "the worker died");
			assert_false(s->fake.awaited);
		}
	scene_free(before);
	scene_free(s);
}

static void vfio_does_not_take_it(void **state)
{
	static const char *const paths[] = { "vfio-pci/bind", "/driver_override" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		struct scene *s = started(audio_is_late);

		fake_plug(&s->fake, AUDIO, 0);
		/* of the override, the first access reads it */
		fake_fail(&s->fake, paths[i], EINVAL, 1)->skip = (unsigned)i;
		assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
		judge(s, paths[i], 0);
		assert_driver(s, AUDIO, "");
		assert_warning(s, "late-arrival", AUDIO);
		assert_reason(s, "gaming", REASON_NONE);
		/* the next time it does */
		assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
		assert_driver(s, AUDIO, "vfio-pci");
		assert_no_warning(s, "late-arrival");
		scene_free(s);
	}
}

static void the_state_cannot_be_written(void **state)
{
	struct scene *s = started(audio_is_late);

	(void)state;
	fake_plug(&s->fake, AUDIO, 0);
	fake_fail(&s->fake, STATE_PATH, ENOSPC, 0)->skip = 1;
	assert_int_equal(scene_event_whole(s, "add", AUDIO), 0);
	judge(s, "no space", 0);
	assert_driver(s, AUDIO, "");
	assert_false(s->fake.awaited);
	assert_warning(s, "late-arrival", STATE_PATH);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(a_fault_anywhere),
		cmocka_unit_test(it_vanishes_anywhere),
		cmocka_unit_test(killed_anywhere),
		cmocka_unit_test(vfio_does_not_take_it),
		cmocka_unit_test(the_state_cannot_be_written),
	};

	return UNIT_RUN(tests);
}
