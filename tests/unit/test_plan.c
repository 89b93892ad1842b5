/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Command line, record and displays. Groups are in test_groups.c. */
#include "unit.h"

#include "planned.h"

static void plain(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	assert_int_equal(p->plan.reason, REASON_NONE);
	assert_true(p->plan.uncounted);
	planned_free(p);
}

static void the_command_line(void **state)
{
	static const struct {
		const char *cmdline;
		enum reason whole, gaming, work;
	} cases[] = {
		{ "", REASON_NONE, REASON_NONE, REASON_NONE },
		{ "vfio_claim=on", REASON_NONE, REASON_NONE, REASON_NONE },
		{ "vfio_claim=off", REASON_OFF, REASON_OFF, REASON_OFF },
		{ "single", REASON_OFF, REASON_OFF, REASON_OFF },
		/* which start refuses when everything else is decided */
		{ "vfio_claim=dry-run", REASON_NONE, REASON_NONE, REASON_NONE },
		{ "vfio_claim=gaming", REASON_NONE, REASON_NONE, REASON_OFF },
		{ "vfio_claim=work,gaming", REASON_NONE, REASON_NONE, REASON_NONE },
		{ "vfio_claim=", REASON_CONFIG_ERROR, REASON_CONFIG_ERROR,
		  REASON_CONFIG_ERROR },
		{ "vfio_claim=on,work", REASON_CONFIG_ERROR, REASON_CONFIG_ERROR,
		  REASON_CONFIG_ERROR },
		/* a name that is none: who knows what was meant */
		{ "vfio_claim=game", REASON_CONFIG_ERROR, REASON_CONFIG_ERROR,
		  REASON_CONFIG_ERROR },
		{ "vfio_claim=gaming,x", REASON_CONFIG_ERROR, REASON_CONFIG_ERROR,
		  REASON_CONFIG_ERROR },
		{ "vfio_claim=gaming,", REASON_CONFIG_ERROR, REASON_CONFIG_ERROR,
		  REASON_CONFIG_ERROR },
		{ "vfio_claim=Gaming", REASON_CONFIG_ERROR, REASON_CONFIG_ERROR,
		  REASON_CONFIG_ERROR },
	};
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_add_twin(p->s);
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	scene_claim(p->s, "work", TWIN, TWIN_AUDIO, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		p->s->fake.cmdline = cases[i].cmdline;
		plan_it(p);
		assert_that(p->plan.reason == cases[i].whole, "'%s': %s",
			    cases[i].cmdline, reason_name(p->plan.reason));
		assert_planned(p, "gaming", cases[i].gaming);
		assert_planned(p, "work", cases[i].work);
	}
	planned_free(p);
}

/* boot = named: what nobody asks for by name stays with the host. */
static void only_by_name(void **state)
{
	static const struct {
		const char *cmdline;
		enum reason gaming, work;
	} cases[] = {
		{ "", REASON_OFF, REASON_NONE },
		{ "vfio_claim=on", REASON_OFF, REASON_NONE },
		{ "vfio_claim=off", REASON_OFF, REASON_OFF },
		{ "vfio_claim=dry-run", REASON_NONE, REASON_NONE },
		{ "vfio_claim=work", REASON_OFF, REASON_NONE },
		{ "vfio_claim=gaming", REASON_NONE, REASON_OFF },
		{ "vfio_claim=gaming,work", REASON_NONE, REASON_NONE },
		{ "vfio_claim=gaming vfio_claim=on", REASON_OFF, REASON_NONE },
		{ "vfio_claim=gaming single", REASON_OFF, REASON_OFF },
	};
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_add_twin(p->s);
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	scene_conf(p->s, "boot = named\n");
	scene_claim(p->s, "work", TWIN, TWIN_AUDIO, NULL);
	scene_conf(p->s, "boot = always\n");
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		p->s->fake.cmdline = cases[i].cmdline;
		plan_it(p);
		assert_planned(p, "gaming", cases[i].gaming);
		assert_planned(p, "work", cases[i].work);
	}
	planned_free(p);
}

/* `off` and the like say nothing about what a dry run would have refused. */
static void dry_run_refuses_as_a_real_one(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	p->s->fake.cmdline = "vfio_claim=dry-run";
	p->s->fake.iommu = false;
	plan_it(p);
	assert_planned(p, "gaming", REASON_IOMMU_INACTIVE);
	planned_free(p);
}

static void an_empty_configuration(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	plan_it(p);
	assert_int_equal(p->plan.reason, REASON_CONFIG_ERROR);
	assert_contains(p->plan.detail, "no [claim]");
	p->s->fake.cmdline = "vfio_claim=off";
	plan_it(p);
	assert_int_equal(p->plan.reason, REASON_OFF);
	planned_free(p);
}

static void the_record(void **state)
{
	static const struct {
		struct record record;
		enum reason reason;
	} cases[] = {
		{ { .kind = RECORD_NONE, .attempts = 0, .confirmed = false },
		  REASON_NONE },
		{ { .kind = RECORD_NONE, .attempts = 9, .confirmed = false },
		  REASON_NONE },
		{ { .kind = RECORD_EFI, .attempts = 0, .confirmed = false },
		  REASON_NONE },
		{ { .kind = RECORD_EFI, .attempts = 1, .confirmed = false },
		  REASON_NONE },
		{ { .kind = RECORD_EFI, .attempts = 2, .confirmed = false },
		  REASON_SAFE_MODE },
		{ { .kind = RECORD_PARTITION, .attempts = 3, .confirmed = false },
		  REASON_SAFE_MODE },
		{ { .kind = RECORD_EFI, .attempts = UINT32_MAX, .confirmed = false },
		  REASON_SAFE_MODE },
		{ { .kind = RECORD_EFI, .attempts = 9, .confirmed = true }, REASON_NONE },
	};
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_conf(p->s, "[host]\nmax-attempts = 2\n");
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		p->record = cases[i].record;
		plan_it(p);
		assert_planned(p, "gaming", cases[i].reason);
		assert_int_equal(p->plan.reason, cases[i].reason);
		if (cases[i].reason == REASON_NONE)
			assert_int_equal(p->plan.uncounted,
					 cases[i].record.kind == RECORD_NONE);
	}
	planned_free(p);
}

static void the_last_display(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x028000;
	plan_it(p);
	assert_planned(p, "gaming", REASON_LAST_DISPLAY);
	/* a 3D controller has no outputs */
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x030200;
	plan_it(p);
	assert_planned(p, "gaming", REASON_LAST_DISPLAY);
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x038000;
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	/* a display that vfio or nobody can show something on does not */
	str_copy(fake_at(&p->s->fake, HOST_GPU)->driver, PCI_DRIVER_LEN, "vfio-pci");
	plan_it(p);
	assert_planned(p, "gaming", REASON_LAST_DISPLAY);
	str_copy(fake_at(&p->s->fake, HOST_GPU)->driver, PCI_DRIVER_LEN, "pci-stub");
	plan_it(p);
	assert_planned(p, "gaming", REASON_LAST_DISPLAY);
	str_copy(fake_at(&p->s->fake, HOST_GPU)->driver, PCI_DRIVER_LEN, "i915");
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	planned_free(p);
}

static void a_claim_without_a_display_takes_none(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x028000;
	fake_at(&p->s->fake, USB)->group = 9;
	scene_claim(p->s, "usb", USB, NULL);
	plan_it(p);
	assert_planned(p, "usb", REASON_NONE);
	planned_free(p);
}

/* Three displays, two claims: the one that would take the last is refused. */
static void displays_of_several_claims(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_add_twin(p->s);
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	scene_claim(p->s, "work", TWIN, TWIN_AUDIO, NULL);
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	assert_planned(p, "work", REASON_NONE);
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x028000;
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	assert_planned(p, "work", REASON_LAST_DISPLAY);
	/* one that is not claimed anyway takes no display */
	p->s->fake.cmdline = "vfio_claim=work";
	plan_it(p);
	assert_planned(p, "gaming", REASON_OFF);
	assert_planned(p, "work", REASON_NONE);
	planned_free(p);
}

/*
 * A display that is on vfio-pci already is not the host's, and claiming it takes none
 * away.
 */
static void claiming_what_vfio_has(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x028000;
	str_copy(fake_at(&p->s->fake, GPU)->driver, PCI_DRIVER_LEN, "vfio-pci");
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	planned_free(p);
}

static void the_only_display_if_the_owner_says_so(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_conf(p->s, "[host]\nrequire-display = no\n");
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x028000;
	plan_it(p);
	assert_planned(p, "gaming", REASON_RECORD_UNAVAILABLE);
	p->record = (struct record){ .kind = RECORD_EFI };
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	planned_free(p);

	p = planned_new(NULL);
	scene_conf(p->s, "[host]\nrequire-display = no\nrecord = none\n");
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x028000;
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	planned_free(p);
}

static void an_unreadable_display_is_none(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	fake_fail(&p->s->fake, HOST_GPU "/uevent", EIO, 0);
	plan_it(p);
	assert_planned(p, "gaming", REASON_LAST_DISPLAY);
	planned_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(plain),
		cmocka_unit_test(the_command_line),
		cmocka_unit_test(only_by_name),
		cmocka_unit_test(dry_run_refuses_as_a_real_one),
		cmocka_unit_test(an_empty_configuration),
		cmocka_unit_test(the_record),
		cmocka_unit_test(the_last_display),
		cmocka_unit_test(a_claim_without_a_display_takes_none),
		cmocka_unit_test(displays_of_several_claims),
		cmocka_unit_test(claiming_what_vfio_has),
		cmocka_unit_test(the_only_display_if_the_owner_says_so),
		cmocka_unit_test(an_unreadable_display_is_none),
	};

	return UNIT_RUN(tests);
}
