/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is set before a function is bound, and how it is refused: the claim goes on. */
#include "unit.h"

#include "held.h"

#define GPU_FOLDER PCI_DEVICES "/" GPU

static struct fake_function *gpu(struct scene *s)
{
	return fake_at(&s->fake, GPU);
}

/* A GPU that offers something, and a claim that wants all of it. */
static void make_all(struct scene *s)
{
	scene_desktop(s);
	s->fake.efi = true;
	fake_add_offers(gpu(s));
	scene_conf(s, "[claim gaming]\nrebar = 1:16G\nvga = no\n");
	scene_add_line(s, gpu(s), "reset=bus,flr idle=d3hot");
	scene_add_line(s, fake_at(&s->fake, AUDIO), "");
	scene_add_line(s, fake_at(&s->fake, USB), "");
}

static void make_held(struct scene *s)
{
	make_all(s);
	s->fake.efi = false;
	s->fake.partitions = FIRST "\n";
	fake_add_partition(&s->fake, "/dev/sda1", FIRST);
}

static void assert_claimed(const struct scene *s)
{
	const struct report_claim *c = &s->state.report.claims[0];

	assert_that(c->outcome == OUTCOME_CLAIMED, "not claimed: %s", c->detail);
}

static void assert_no_warning(const struct scene *s)
{
	const struct report *r = &s->state.report;

	assert_that(!r->n_warnings, "%s: %s", r->warnings[0].code, r->warnings[0].detail);
}

static void all_is_set(void **state)
{
	struct scene *s = scene_new(make_all);

	(void)state;
	scene_run(s);
	assert_claimed(s);
	assert_no_warning(s);
	assert_int_equal(gpu(s)->rebar_size, 14);
	assert_string_equal(gpu(s)->reset_method, "bus flr");
	assert_false(gpu(s)->d3cold_allowed);
	assert_false(gpu(s)->awake);
	assert_string_equal(s->fake.disable_vga, "Y");
	assert_string_equal(s->fake.disable_idle_d3, "N");
	/* nothing is written twice */
	s->state.report.n_warnings = 0;
	s->fake.writes = 0;
	scene_run(s);
	assert_claimed(s);
	assert_no_warning(s);
	scene_free(s);
}

static void nothing_said_nothing_looked_at(void **state)
{
	struct scene *s = scene_new(make_all);
	struct fake_fault *looks[4];
	static const char *const paths[] = { "resource", "reset_method", "power/",
					     "/parameters/disable" };

	(void)state;
	s->conf[0] = '\0';
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		looks[i] = fake_fail(&s->fake, paths[i], EIO, 0);
	scene_run(s);
	assert_claimed(s);
	for (size_t i = 0; i < ARRAY_SIZE(looks); i++)
		assert_int_equal(looks[i]->fired, 0);
	scene_free(s);
}

static void a_function_has_the_last_word(void **state)
{
	struct scene *s = scene_new(make_all);

	(void)state;
	s->conf[0] = '\0';
	scene_conf(s, "[claim gaming]\nrebar = 1:1G\nreset = flr\n");
	scene_add_line(s, gpu(s), "rebar=1:4G");
	scene_add_line(s, fake_at(&s->fake, AUDIO), "reset=bus");
	scene_conf(s, "idle = on\n");
	fake_add_offers(fake_at(&s->fake, AUDIO));
	scene_run(s);
	assert_reason(s, "gaming", REASON_GROUP_NOT_VIABLE);
	scene_add_line(s, fake_at(&s->fake, USB), "idle=d3cold reset=bus");
	fake_add_offers(fake_at(&s->fake, USB));
	scene_run(s);
	assert_claimed(s);
	assert_no_warning(s);
	assert_int_equal(gpu(s)->rebar_size, 12);
	/* a claim's rebar is for its displays */
	assert_int_equal(fake_at(&s->fake, AUDIO)->rebar_size, 8);
	assert_string_equal(gpu(s)->reset_method, "flr");
	assert_string_equal(fake_at(&s->fake, AUDIO)->reset_method, "bus");
	assert_true(gpu(s)->awake);
	assert_false(fake_at(&s->fake, USB)->awake);
	assert_string_equal(s->fake.disable_idle_d3, "N");
	scene_free(s);
}

static void all_that_stay_awake(void **state)
{
	struct scene *s = scene_new(make_all);

	(void)state;
	s->conf[0] = '\0';
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
	scene_conf(s, "idle = on\nvga = yes\n");
	scene_run(s);
	assert_claimed(s);
	assert_no_warning(s);
	assert_true(gpu(s)->awake);
	assert_string_equal(s->fake.disable_idle_d3, "Y");
	assert_string_equal(s->fake.disable_vga, "N");
	scene_free(s);
}

/* ---- refusals */

static void no_rebar(struct scene *s)
{
	gpu(s)->rebar_sizes = 0;
}

static void no_room(struct scene *s)
{
	gpu(s)->rebar_room = 10;
}

static void no_reset(struct scene *s)
{
	gpu(s)->resets = NULL;
}

static void no_power(struct scene *s)
{
	gpu(s)->power = false;
}

static void no_d3cold(struct scene *s)
{
	fake_overlay(&s->fake, GPU_FOLDER "/d3cold_allowed", NULL);
}

static void short_config(struct scene *s)
{
	/* the header alone, as for who is not root; its type is an endpoint's */
	static const char header[] = "..............\x80................."
				     "................................";

	assert_int_equal(sizeof(header), 64 + 1);
	fake_overlay(&s->fake, GPU_FOLDER "/config", header);
}

static void unreadable_sizes(struct scene *s)
{
	fake_fail(&s->fake, "resource1_resize", EACCES, 0);
}

static void unreadable_resource(struct scene *s)
{
	fake_overlay(&s->fake, GPU_FOLDER "/resource", "0x0 0x0 0x0\n");
}

static void write_fails(struct scene *s)
{
	/* three reads pass */
	fake_fail(&s->fake, "reset_method", EIO, 1)->skip = 3;
}

static void control_fails(struct scene *s)
{
	fake_fail(&s->fake, "power/control", EIO, 0);
}

static void loaded_before(struct scene *s)
{
	fake_core_load(&s->fake, "vfio-pci");
	s->fake.disable_vga = "N";
	s->fake.disable_idle_d3 = "Y";
}

static void bound_before(struct scene *s)
{
	fake_core_load(&s->fake, "vfio-pci");
	str_copy(gpu(s)->driver, PCI_DRIVER_LEN, "vfio-pci");
}

static void always_powered(struct scene *s)
{
	fake_overlay(&s->fake, PCI_DEVICES "/" ROOT_PORT "/firmware_node", "");
}

static void can_be_cut(struct scene *s)
{
	always_powered(s);
	fake_overlay(&s->fake,
		     PCI_DEVICES "/" ROOT_PORT "/firmware_node/power_resources_D3hot",
		     "");
}

static void no_vga(struct scene *s)
{
	s->fake.no_vfio_vga = true;
}

static void takes_effect_and_fails(struct scene *s)
{
	fake_fail(&s->fake, "resource1_resize", EIO, 1)->skip = 1;
	s->fake.faults[0].after = true;
}

static const struct {
	const char *keys;
	void (*prepare)(struct scene *s);
	const char *code, *detail;
} refusals[] = {
	{ "rebar=0:16G", NULL, "rebar-refused", "this BAR cannot be resized" },
	{ "rebar=1:16G", no_rebar, "rebar-refused", "this BAR cannot be resized" },
	{ "rebar=1:32G", NULL, "rebar-refused",
	  GPU
	  ": rebar = 1:32G: this BAR can have 256M 512M 1G 2G 4G 8G 16G; left as it was" },
	{ "rebar=1:16G", no_room, "rebar-refused", "refuses it: no space left; left as" },
	{ "rebar=1:16G", unreadable_sizes, "rebar-refused", "cannot be read" },
	{ "rebar=1:16G", unreadable_resource, "rebar-refused", "what it is now" },
	{ "rebar=1:16G", bound_before, "rebar-refused",
	  "refuses it: device or resource" },
	{ "rebar=1:16G", takes_effect_and_fails, NULL, NULL },
	{ "reset=pm", NULL, "reset-refused",
	  "reset = pm: its reset methods are flr bus; left as it was" },
	{ "reset=flr,af_flr", NULL, "reset-refused", "reset = flr,af_flr: its reset" },
	{ "reset=flr", no_reset, "reset-refused", "knows no way to reset it" },
	{ "reset=bus", write_fails, "reset-refused", "the kernel refuses it" },
	{ "idle=d3hot", no_power, "idle-refused", "no power management capability" },
	{ "idle=d3cold", no_power, "idle-refused", "no power management capability" },
	{ "idle=d3cold", no_d3cold, "idle-refused", "does not let it go to D3cold" },
	{ "idle=d3cold", always_powered, "idle-refused",
	  "cannot cut its power; d3hot is" },
	{ "idle=d3cold", can_be_cut, NULL, NULL },
	{ "idle=d3hot", short_config, "idle-refused", "its capabilities cannot be read" },
	{ "idle=on", control_fails, "idle-refused", "idle = on: " },
	{ "idle=d3hot", loaded_before, "idle-refused", "disable_idle_d3=Y" },
	{ "vga=no", loaded_before, "vga-refused", "vfio-pci.disable_vga=1" },
	{ "vga=yes", no_vga, "vga-refused", "this kernel's vfio-pci has no VGA" },
	{ "vga=no", no_vga, NULL, NULL },
};

static void refused(size_t i)
{
	struct scene *s = scene_new(make_all);
	const struct report *r = &s->state.report;
	struct fake_function before;

	s->conf[0] = '\0';
	scene_conf(s, "[claim gaming]\n");
	scene_add_line(s, gpu(s), refusals[i].keys);
	scene_add_line(s, fake_at(&s->fake, AUDIO), "");
	scene_add_line(s, fake_at(&s->fake, USB), "");
	if (refusals[i].prepare)
		refusals[i].prepare(s);
	before = *gpu(s);
	scene_run(s);
	assert_claimed(s);
	if (!refusals[i].code) {
		assert_no_warning(s);
		scene_free(s);
		return;
	}
	assert_that(r->n_warnings == 1, "%zu: %u warnings", i, r->n_warnings);
	assert_string_equal(r->warnings[0].code, refusals[i].code);
	assert_contains(r->warnings[0].detail, refusals[i].detail);
	assert_int_equal(gpu(s)->rebar_size, before.rebar_size);
	assert_string_equal(gpu(s)->reset_method, before.reset_method);
	scene_free(s);
}

static void what_is_refused_is_untouched_and_told(void **state)
{
	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(refusals); i++)
		refused(i);
}

static void claims_that_disagree(void **state)
{
	struct scene *s = scene_new(make_all);

	(void)state;
	s->conf[0] = '\0';
	scene_add_twin(s);
	scene_claim_with(s, "vga=no", "one", GPU, AUDIO, USB, NULL);
	scene_claim_with(s, "vga=yes", "two", TWIN, TWIN_AUDIO, NULL);
	scene_run(s);
	assert_int_equal(s->state.report.outcome, OUTCOME_CLAIMED);
	assert_string_equal(s->fake.disable_vga, "N");
	assert_int_equal(s->state.report.n_warnings, 1);
	assert_string_equal(s->state.report.warnings[0].code, "vga-refused");
	assert_contains(s->state.report.warnings[0].detail, "one value for all");
	/* what is not claimed has no say */
	s->fake.cmdline = "vfio_claim=one";
	fake_driver(&s->fake, "vfio-pci")->loaded = false;
	for (unsigned i = 0; i < s->fake.n_functions; i++)
		if (str_equal(s->fake.functions[i].driver, "vfio-pci"))
			s->fake.functions[i].driver[0] = '\0';
	scene_run(s);
	assert_no_warning(s);
	assert_string_equal(s->fake.disable_vga, "Y");
	scene_free(s);
}

/* ---- the way back */

static void a_rollback_takes_all_back(void **state)
{
	struct scene *s = scene_new(make_all), *before = scene_new(make_all);

	(void)state;
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 1)->skip = 2;
	scene_run(s);
	assert_reason(s, "gaming", REASON_BIND_FAILED);
	assert_null(scene_not_as_found(s, before));
	assert_null(strstr(s->state.report.claims[0].detail, "not as it was"));
	scene_free(s);
	scene_free(before);
}

static void what_does_not_come_back_is_told(void **state)
{
	struct scene *s = scene_new(make_all);

	(void)state;
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 1)->skip = 2;
	/* two reads and a write pass, and the look at it */
	fake_fail(&s->fake, "reset_method", EIO, 0)->skip = 5;
	scene_run(s);
	assert_reason(s, "gaming", REASON_BIND_FAILED);
	assert_contains(s->state.report.claims[0].detail, "; not as it was: reset");
	assert_string_equal(gpu(s)->reset_method, "bus flr");
	scene_free(s);
}

static void what_is_held_is_set_when_it_is_bound(void **state)
{
	struct scene *before, *s = held(make_held, &before);

	(void)state;
	assert_int_equal(gpu(s)->rebar_size, 8);
	gpu(s)->rebar_room = 8;
	assert_int_equal(scene_settle(s), 0);
	assert_claimed(s);
	assert_string_equal(gpu(s)->reset_method, "bus flr");
	assert_string_equal(s->fake.disable_vga, "Y");
	assert_int_equal(s->state.report.n_warnings, 1);
	assert_string_equal(s->state.report.warnings[0].code, "rebar-refused");
	finish(s, before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_is_set),
		cmocka_unit_test(nothing_said_nothing_looked_at),
		cmocka_unit_test(a_function_has_the_last_word),
		cmocka_unit_test(all_that_stay_awake),
		cmocka_unit_test(what_is_refused_is_untouched_and_told),
		cmocka_unit_test(claims_that_disagree),
		cmocka_unit_test(a_rollback_takes_all_back),
		cmocka_unit_test(what_does_not_come_back_is_told),
		cmocka_unit_test(what_is_held_is_set_when_it_is_bound),
	};

	return UNIT_RUN(tests);
}
