/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every reason code and every match word is really produced, each by the machine that a
 * user would meet it on, and in every case the host has what it had.
 */
#include "unit.h"

#include "scene.h"

static struct fake_function *at(struct scene *s, const char *address)
{
	return fake_at(&s->fake, address);
}

static void off(struct scene *s)
{
	s->fake.cmdline = "quiet vfio_claim=off";
}

static void broken(struct scene *s)
{
	scene_conf(s, "colour = green\n");
}

static void no_iommu(struct scene *s)
{
	s->fake.iommu = false;
}

static void unsafe(struct scene *s)
{
	s->fake.unsafe_mode = "Y";
}

static void pulled(struct scene *s)
{
	at(s, GPU)->dead = true;
}

static void swapped(struct scene *s)
{
	at(s, GPU)->ids.device = 0x2204;
}

static void dry_run(struct scene *s)
{
	s->fake.cmdline = "vfio_claim=dry-run";
}

static void lone(struct scene *s)
{
	at(s, HOST_GPU)->ids.class = 0x028000;
}

static void no_module(struct scene *s)
{
	fake_driver(&s->fake, "vfio-pci")->loadable = false;
}

static void stuck(struct scene *s)
{
	fake_fail(&s->fake, "xhci_hcd/unbind", EBUSY, 0);
}

static void refuses(struct scene *s)
{
	fake_driver(&s->fake, "vfio-pci")->probe_error = EIO;
}

static void bridge(struct scene *s)
{
	at(s, GPU)->header_type = 1;
}

static void killed(struct scene *s)
{
	s->fake.kill_at = 40;
}

static void stranger(struct scene *s)
{
	fake_add(&s->fake, "0000:01:00.3", ROOT_PORT, "10de:1ad9", "1043:87c1", 0x0c8000,
		 1);
}

static void ambiguous(struct scene *s)
{
	fake_add(&s->fake, "0000:05:00.0", ROOT_PORT, "10de:2484", "1043:87c1", 0x030000,
		 1);
}

static void lone_and_uncounted(struct scene *s)
{
	char host[] = "[host]\nrequire-display = no\n";
	char claim[4096];

	lone(s);
	str_copy(claim, sizeof(claim), s->conf);
	s->conf[0] = '\0';
	scene_conf(s, host);
	scene_conf(s, claim);
}

/* safe-mode takes several boots: see below. */
static const struct {
	enum reason reason;
	void (*change)(struct scene *);
} cases[] = {
	{ REASON_OFF, off },
	{ REASON_CONFIG_ERROR, broken },
	{ REASON_IOMMU_INACTIVE, no_iommu },
	{ REASON_NO_IOMMU_MODE, unsafe },
	{ REASON_DEVICE_ABSENT, pulled },
	{ REASON_DEVICE_CHANGED, swapped },
	{ REASON_DEVICE_AMBIGUOUS, ambiguous },
	{ REASON_DRY_RUN, dry_run },
	{ REASON_GROUP_NOT_VIABLE, stranger },
	{ REASON_NOT_AN_ENDPOINT, bridge },
	{ REASON_LAST_DISPLAY, lone },
	{ REASON_RECORD_UNAVAILABLE, lone_and_uncounted },
	{ REASON_MODULE_UNAVAILABLE, no_module },
	{ REASON_UNBIND_FAILED, stuck },
	{ REASON_BIND_FAILED, refuses },
	{ REASON_DEADLINE, killed },
};

static void make(struct scene *s)
{
	scene_desktop(s);
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
}

static void one(size_t i, bool seen[REASON_COUNT])
{
	struct scene *before = scene_new(make), *s = scene_new(make);
	const char *wrong;

	cases[i].change(s);
	scene_copy(before, s);
	scene_run_whole(s);
	assert_reason(s, NULL, cases[i].reason);
	seen[scene_reason(s, NULL)] = true;
	wrong = scene_not_as_found(s, before);
	assert_that(!wrong, "%s: %s", reason_name(cases[i].reason), wrong);
	/* it stands in the report and in the log */
	assert_contains(s->fake.report, reason_name(cases[i].reason));
	assert_true(s->fake.n_log >= 1 && s->fake.n_log <= 8);
	assert_contains(s->fake.log[0], reason_name(cases[i].reason));
	scene_free(before);
	scene_free(s);
}

/* Two boots that nobody confirms, and then it is kept. */
static void safe_mode(bool seen[REASON_COUNT])
{
	struct scene *before = scene_new(make), *s = scene_new(make);
	struct fake_file record = { .there = false };

	before->fake.efi = true;
	for (unsigned boot = 0; boot < 3; boot++) {
		scene_copy(s, before);
		s->fake.volumes[0].record = record;
		scene_run_whole(s);
		record = s->fake.volumes[0].record;
	}
	assert_reason(s, NULL, REASON_SAFE_MODE);
	assert_null(scene_not_as_found(s, before));
	assert_contains(s->fake.report, "safe-mode");
	assert_contains(s->fake.log[0], "safe-mode");
	seen[scene_reason(s, NULL)] = true;
	scene_free(before);
	scene_free(s);
}

static void claimed(bool seen[REASON_COUNT])
{
	struct scene *before = scene_new(make), *s = scene_new(make);

	scene_run_whole(s);
	assert_int_equal(s->state.report.outcome, OUTCOME_CLAIMED);
	assert_null(scene_not_claimed(s, before));
	seen[scene_reason(s, NULL)] = true;
	scene_free(before);
	scene_free(s);
}

static void every_reason_is_produced(void **state)
{
	bool seen[REASON_COUNT] = { false };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++)
		one(i, seen);
	safe_mode(seen);
	claimed(seen);
	for (enum reason r = 0; r < REASON_COUNT; r++)
		assert_that(seen[r], "'%s' is never produced", reason_name(r));
}

/* The words of enum match, in reports. */
static void every_match_is_produced(void **state)
{
	static const struct {
		enum match match;
		void (*change)(struct scene *);
	} matches[] = { { MATCH_ABSENT, pulled },
			{ MATCH_CHANGED, swapped },
			{ MATCH_AMBIGUOUS, ambiguous },
			{ MATCH_EXACT, off },
			{ MATCH_MOVED, NULL } };
	bool seen[MATCH_AMBIGUOUS + 1] = { false };
	char word[32];

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(matches); i++) {
		struct scene *s = scene_new(scene_desktop);

		scene_claim_with(s, "unique=yes", "gaming", GPU, AUDIO, USB, NULL);
		if (matches[i].match == MATCH_MOVED)
			fake_at(&s->fake, ROOT_PORT)->address.devfn = 4 << 3;
		else if (matches[i].match != MATCH_EXACT)
			matches[i].change(s);
		scene_run_whole(s);
		seen[s->state.report.functions[0].match] = true;
		assert_int_equal(s->state.report.functions[0].match, matches[i].match);
		snprintf(word, sizeof(word), "\"match\": \"%s\"",
			 match_name(matches[i].match));
		assert_contains(s->fake.report, word);
		scene_free(s);
	}
	for (enum match m = 0; m <= MATCH_AMBIGUOUS; m++)
		assert_that(seen[m], "'%s' is never produced", match_name(m));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_reason_is_produced),
		cmocka_unit_test(every_match_is_produced),
	};

	return UNIT_RUN(tests);
}
