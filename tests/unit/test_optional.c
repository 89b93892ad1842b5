/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Functions that a claim goes without while they are not there, at boot. */
#include "unit.h"

#include "json.h"
#include "planned.h"

static void audio_may_be_missing(struct scene *s)
{
	scene_claim(s, "gaming", GPU, USB, NULL);
	scene_add_line(s, fake_at(&s->fake, AUDIO), "optional=yes");
}

static void make(struct scene *s)
{
	scene_desktop(s);
	audio_may_be_missing(s);
}

static void without_it(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);
	struct json_object *json, *audio;

	(void)state;
	fake_pull(&s->fake, AUDIO);
	scene_run_whole(s);
	assert_reason(s, "gaming", REASON_NONE);
	assert_driver(s, GPU, "vfio-pci");
	assert_driver(s, USB, "vfio-pci");
	json = json_of(s->fake.report, s->fake.report_len);
	assert_json(json, "outcome", "claimed");
	audio = json_object_array_get_idx(
		json_at(json_object_array_get_idx(json_at(json, "claims"), 0),
			"functions"),
		2);
	assert_json(audio, "match", "absent");
	assert_true(json_object_get_boolean(json_at(audio, "optional")));
	assert_true(json_object_is_type(json_at(audio, "driver"), json_type_null));
	json_object_put(json);
	/* it has no address to be named by */
	assert_contains(s->fake.log[0], "vfio-pci: " GPU " " USB "\n");
	scene_free(s);
	scene_free(before);
}

static void with_it(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);

	(void)state;
	scene_run(s);
	assert_null(scene_not_claimed(s, before));
	scene_free(s);
	scene_free(before);
}

/* Each of them could be it, or become it. */
static void in_doubt_it_is_not_missing(void **state)
{
	struct planned *p = planned_new(audio_may_be_missing);
	struct fake_function *audio = fake_at(&p->s->fake, AUDIO);

	(void)state;
	audio->dead = true;
	plan_it(p);
	assert_planned(p, "gaming", REASON_DEVICE_ABSENT);
	audio->dead = false;
	audio->ids.device++;
	plan_it(p);
	assert_planned(p, "gaming", REASON_DEVICE_CHANGED);
	fake_pull(&p->s->fake, AUDIO);
	fake_fail(&p->s->fake, ROOT_PORT, EIO, 0);
	plan_it(p);
	assert_int_not_equal(planned_claim(p, "gaming")->reason, REASON_NONE);
	planned_free(p);
}

static void two_elsewhere_could_be_it(void **state)
{
	struct planned *p = planned_new(audio_may_be_missing);

	(void)state;
	fake_pull(&p->s->fake, AUDIO);
	scene_add_twin(p->s);
	/* nothing proves that it is the twin's: that one stays with the host */
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	fake_add(&p->s->fake, "0000:00:04.0", NULL, "10de:228b", "1043:87c1", 0x040300,
		 4);
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	planned_free(p);
}

static void audio_was_the_only_one(struct scene *s)
{
	scene_claim(s, "gaming", GPU, USB, NULL);
	scene_add_line(s, fake_at(&s->fake, AUDIO), "unique=yes optional=yes");
}

/* It may be missing, so the only one elsewhere may be another one, the host's. */
static void unique_proves_nothing(void **state)
{
	struct planned *p = planned_new(audio_was_the_only_one);

	(void)state;
	fake_pull(&p->s->fake, AUDIO);
	scene_add_twin(p->s);
	for (unsigned twins = 1; twins <= 2; twins++) {
		plan_it(p);
		assert_planned(p, "gaming", REASON_NONE);
		assert_true(p->machine.functions[2].found.nothing_there);
		fake_add(&p->s->fake, "0000:00:04.0", NULL, "10de:228b", "1043:87c1",
			 0x040300, 4);
	}
	planned_free(p);
}

static void nothing_of_it_is_there(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim_with(p->s, "optional=yes", "gaming", GPU, AUDIO, USB, NULL);
	fake_pull(&p->s->fake, GPU);
	fake_pull(&p->s->fake, AUDIO);
	fake_pull(&p->s->fake, USB);
	plan_it(p);
	assert_planned(p, "gaming", REASON_DEVICE_ABSENT);
	assert_contains(planned_claim(p, "gaming")->detail, GPU);
	planned_free(p);
}

static void what_is_not_optional_must_be_there(void **state)
{
	struct planned *p = planned_new(audio_may_be_missing);

	(void)state;
	fake_pull(&p->s->fake, USB);
	plan_it(p);
	assert_planned(p, "gaming", REASON_DEVICE_ABSENT);
	assert_contains(planned_claim(p, "gaming")->detail, USB);
	planned_free(p);
}

/* What is missing has no address: least of all that of the first function of all. */
static void it_stands_for_nothing_else(void **state)
{
	struct planned *p = planned_new(audio_may_be_missing);
	struct fake_function *first = fake_at(&p->s->fake, HOST_BRIDGE);

	(void)state;
	fake_pull(&p->s->fake, AUDIO);
	first->ids.class = 0x010802;
	first->group = 1;
	plan_it(p);
	assert_planned(p, "gaming", REASON_GROUP_NOT_VIABLE);
	assert_contains(planned_claim(p, "gaming")->detail, HOST_BRIDGE);
	planned_free(p);
}

/* A boot without it is another one than with it. */
static void the_fingerprint_tells(void **state)
{
	struct planned *p = planned_new(audio_may_be_missing);
	uint64_t with, without;

	(void)state;
	plan_it(p);
	with = plan_fingerprint(&p->conf, &p->machine, &p->plan);
	fake_pull(&p->s->fake, AUDIO);
	plan_it(p);
	without = plan_fingerprint(&p->conf, &p->machine, &p->plan);
	assert_true(with != without);
	planned_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(without_it),
		cmocka_unit_test(with_it),
		cmocka_unit_test(in_doubt_it_is_not_missing),
		cmocka_unit_test(two_elsewhere_could_be_it),
		cmocka_unit_test(unique_proves_nothing),
		cmocka_unit_test(nothing_of_it_is_there),
		cmocka_unit_test(what_is_not_optional_must_be_there),
		cmocka_unit_test(it_stands_for_nothing_else),
		cmocka_unit_test(the_fingerprint_tells),
	};

	return UNIT_RUN(tests);
}
