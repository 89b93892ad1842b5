/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What one function's refusal, or a stranger in its group, means for a plan. */
#include "unit.h"

#include "planned.h"

static void expect_after(void (*change)(struct scene *), enum reason reason,
			 const char *words)
{
	struct planned *p = planned_new(NULL);

	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	change(p->s);
	plan_it(p);
	assert_planned(p, "gaming", reason);
	assert_contains(planned_claim(p, "gaming")->detail, words);
	planned_free(p);
}

static void no_iommu(struct scene *s)
{
	s->fake.iommu = false;
}

static void no_group(struct scene *s)
{
	fake_at(&s->fake, AUDIO)->group = FAKE_NONE;
}

static void bad_type(struct scene *s)
{
	s->fake.group_type = "blocked";
}

static void unsafe(struct scene *s)
{
	s->fake.unsafe_mode = "Y";
}

static void made_up(struct scene *s)
{
	s->fake.group_name = "vfio-noiommu";
}

static void gone(struct scene *s)
{
	fake_at(&s->fake, USB)->dead = true;
}

static void another(struct scene *s)
{
	fake_at(&s->fake, AUDIO)->ids.device++;
}

static void vfs(struct scene *s)
{
	fake_at(&s->fake, USB)->numvfs = 2;
}

static void iomem(struct scene *s)
{
	fake_at(&s->fake, HOST_GPU)->ids.class = 0x030000;
	str_copy(s->fake.release, sizeof(s->fake.release), "5.10.0");
	fake_fail(&s->fake, "proc/iomem", EIO, 0);
}

static void endpoint_no_more(struct scene *s)
{
	fake_at(&s->fake, USB)->header_type = 1;
}

static void functions_are_refused(void **state)
{
	(void)state;
	expect_after(no_iommu, REASON_IOMMU_INACTIVE, "no IOMMU is active: switch on");
	expect_after(no_group, REASON_IOMMU_INACTIVE, AUDIO ": it has no IOMMU group");
	expect_after(bad_type, REASON_IOMMU_INACTIVE, "type is blocked");
	expect_after(unsafe, REASON_NO_IOMMU_MODE, "enable_unsafe_noiommu_mode");
	expect_after(made_up, REASON_NO_IOMMU_MODE, GPU);
	expect_after(gone, REASON_DEVICE_ABSENT, USB);
	expect_after(another, REASON_DEVICE_CHANGED, AUDIO ": its place holds 10de:228c");
	expect_after(vfs, REASON_BIND_FAILED, "SR-IOV");
	expect_after(iomem, REASON_UNBIND_FAILED, "framebuffer");
	expect_after(endpoint_no_more, REASON_NOT_AN_ENDPOINT, USB);
}

static void bridges_are_never_claimed(void **state)
{
	static const char *const bridges[] = { ROOT_PORT, HOST_BRIDGE };
	struct planned *p;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bridges); i++) {
		p = planned_new(NULL);
		scene_claim(p->s, "bridge", GPU, AUDIO, USB, bridges[i], NULL);
		plan_it(p);
		assert_planned(p, "bridge", REASON_NOT_AN_ENDPOINT);
		planned_free(p);
	}
}

static void two_lines_that_lead_to_one_function(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_add_twin(p->s);
	scene_claim_with(p->s, "unique=yes", "a", GPU, AUDIO, USB, NULL);
	scene_claim_with(p->s, "unique=yes", "b", TWIN, TWIN_AUDIO, NULL);
	/* the twin is pulled: its line finds the card that the other line names */
	for (unsigned i = 7; i < p->s->fake.n_functions; i++)
		p->s->fake.functions[i].ids.vendor = 0x1002;
	p->s->fake.functions[7].parent = p->s->fake.functions[8].parent = FAKE_NONE;
	plan_it(p);
	assert_planned(p, "a", REASON_NONE);
	assert_planned(p, "b", REASON_DEVICE_AMBIGUOUS);
	planned_free(p);
}

static void strangers_in_the_group(void **state)
{
	static const struct {
		const char *driver;
		bool modules;
		enum reason reason;
	} cases[] = {
		{ "snd_hda_intel", true, REASON_GROUP_NOT_VIABLE },
		{ "snd_hda_intel", false, REASON_GROUP_NOT_VIABLE },
		{ "vfio-pci", true, REASON_NONE },
		{ "pci-stub", true, REASON_NONE },
		/* nobody has it yet, but udev comes after us */
		{ "", true, REASON_GROUP_NOT_VIABLE },
		{ "", false, REASON_NONE },
	};
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "gaming", GPU, USB, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		p->s->fake.modules = cases[i].modules;
		str_copy(fake_at(&p->s->fake, AUDIO)->driver, PCI_DRIVER_LEN,
			 cases[i].driver);
		plan_it(p);
		assert_planned(p, "gaming", cases[i].reason);
		if (cases[i].reason != REASON_NONE)
			assert_contains(planned_claim(p, "gaming")->detail, AUDIO);
	}
	planned_free(p);
}

static void bridges_in_the_group(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	fake_at(&p->s->fake, ROOT_PORT)->driver[0] = '\0';
	plan_it(p);
	assert_planned(p, "gaming", REASON_NONE);
	str_copy(fake_at(&p->s->fake, ROOT_PORT)->driver, PCI_DRIVER_LEN, "shpchp");
	plan_it(p);
	assert_planned(p, "gaming", REASON_GROUP_NOT_VIABLE);
	planned_free(p);
}

static void an_unreadable_member(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "gaming", GPU, USB, NULL);
	p->s->fake.modules = false;
	fake_fail(&p->s->fake, AUDIO "/uevent", EIO, 0);
	plan_it(p);
	assert_planned(p, "gaming", REASON_GROUP_NOT_VIABLE);
	p->s->fake.faults[0].error = ENOENT;
	plan_it(p);
	assert_planned(p, "gaming", REASON_GROUP_NOT_VIABLE);
	planned_free(p);
}

/* Two claims share a group: one that cannot be claimed takes the other with it. */
static void a_group_of_two_claims(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "video", GPU, AUDIO, NULL);
	scene_claim(p->s, "usb", USB, NULL);
	plan_it(p);
	assert_planned(p, "video", REASON_NONE);
	assert_planned(p, "usb", REASON_NONE);
	fake_at(&p->s->fake, USB)->numvfs = 3;
	plan_it(p);
	assert_planned(p, "usb", REASON_BIND_FAILED);
	assert_planned(p, "video", REASON_GROUP_NOT_VIABLE);
	fake_at(&p->s->fake, USB)->numvfs = FAKE_NONE;
	p->s->fake.cmdline = "vfio_claim=video";
	plan_it(p);
	assert_planned(p, "usb", REASON_OFF);
	assert_planned(p, "video", REASON_GROUP_NOT_VIABLE);
	/* the last display is refused: its neighbour loses its group */
	p->s->fake.cmdline = "";
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x028000;
	plan_it(p);
	assert_planned(p, "video", REASON_LAST_DISPLAY);
	assert_planned(p, "usb", REASON_GROUP_NOT_VIABLE);
	planned_free(p);
}

/* A display that comes back because its claim lost its group is counted again. */
static void a_refusal_gives_a_display_back(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_add_twin(p->s);
	scene_claim(p->s, "video", GPU, AUDIO, NULL);
	scene_claim(p->s, "work", TWIN, TWIN_AUDIO, NULL);
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x028000;
	plan_it(p);
	/* the USB controller in video's group is claimed by nobody */
	assert_planned(p, "video", REASON_GROUP_NOT_VIABLE);
	assert_planned(p, "work", REASON_NONE);
	planned_free(p);
}

static void judged_again_after_acting(void **state)
{
	struct planned *p = planned_new(NULL);

	(void)state;
	scene_claim(p->s, "video", GPU, AUDIO, NULL);
	scene_claim(p->s, "usb", USB, NULL);
	plan_it(p);
	assert_true(plan_check_groups(&p->machine, &p->plan, planned_claim(p, "video")));
	planned_claim(p, "usb")->reason = REASON_BIND_FAILED;
	assert_false(plan_check_groups(&p->machine, &p->plan, planned_claim(p, "video")));
	assert_int_equal(planned_claim(p, "video")->reason, REASON_GROUP_NOT_VIABLE);
	planned_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(functions_are_refused),
		cmocka_unit_test(bridges_are_never_claimed),
		cmocka_unit_test(two_lines_that_lead_to_one_function),
		cmocka_unit_test(strangers_in_the_group),
		cmocka_unit_test(bridges_in_the_group),
		cmocka_unit_test(an_unreadable_member),
		cmocka_unit_test(a_group_of_two_claims),
		cmocka_unit_test(a_refusal_gives_a_display_back),
		cmocka_unit_test(judged_again_after_acting),
	};

	return UNIT_RUN(tests);
}
