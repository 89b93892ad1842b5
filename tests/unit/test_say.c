/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

#include "say.h"
#include "scene.h"

static struct report report;

static struct scene *begin(void)
{
	memset(&report, 0, sizeof(report));
	return scene_new(scene_desktop);
}

static void add_claim(const char *name, enum outcome outcome, enum reason reason,
		      const char *detail)
{
	struct report_claim *c = &report.claims[report.n_claims++];

	str_copy(c->name, sizeof(c->name), name);
	c->outcome = outcome;
	c->reason = reason;
	str_copy(c->detail, sizeof(c->detail), detail);
}

static void levels_and_words(void **state)
{
	struct scene *s = begin();

	(void)state;
	add_claim("a", OUTCOME_CLAIMED, REASON_NONE, "");
	report.claims[0].n = 2;
	report.functions[0].found = report.functions[1].found = true;
	add_claim("b", OUTCOME_KEPT, REASON_DRY_RUN, "it would");
	add_claim("c", OUTCOME_KEPT, REASON_IOMMU_INACTIVE, "none");
	add_claim("d", OUTCOME_KEPT, REASON_BIND_FAILED,
		  "x; NOT given back: 0000:01:00.0");
	report_summarise(&report);
	say_report(&s->fake.fs, &report);
	assert_int_equal(s->fake.n_log, 4);
	assert_string_equal(s->fake.log[0], "<6>vfio-claim: a: claimed for vfio-pci: "
					    "0000:00:00.0 0000:00:00.0\n");
	assert_string_equal(s->fake.log[1],
			    "<5>vfio-claim: b: the host keeps it: dry-run: it would\n");
	assert_string_equal(
		s->fake.log[2],
		"<4>vfio-claim: c: the host keeps it: iommu-inactive: none\n");
	assert_true(str_starts(s->fake.log[3], "<3>vfio-claim: d: "));
	scene_free(s);
}

static void one_line_for_everything(void **state)
{
	struct scene *s = begin();

	(void)state;
	add_claim("a", OUTCOME_KEPT, REASON_OFF, "x");
	add_claim("b", OUTCOME_KEPT, REASON_OFF, "x");
	report.reason = REASON_OFF;
	str_copy(report.detail, sizeof(report.detail), "vfio_claim=off");
	say_report(&s->fake.fs, &report);
	assert_int_equal(s->fake.n_log, 1);
	assert_string_equal(
		s->fake.log[0],
		"<5>vfio-claim: the host keeps everything: off: vfio_claim=off\n");
	scene_free(s);
}

static void never_more_than_eight_lines(void **state)
{
	struct scene *s;

	(void)state;
	for (unsigned n = 1; n <= CONF_MAX_CLAIMS; n++) {
		s = begin();
		for (unsigned i = 0; i < n; i++)
			add_claim("x", OUTCOME_KEPT, REASON_BIND_FAILED, "y");
		report_summarise(&report);
		say_report(&s->fake.fs, &report);
		assert_in_range(s->fake.n_log, 1, SAY_MAX_LINES);
		if (n < SAY_MAX_LINES)
			assert_int_equal(s->fake.n_log, n);
		scene_free(s);
	}
}

/*
 * One record is one line of at most about 1000 bytes, and nothing that a terminal would
 * obey.
 */
static void hostile_texts(void **state)
{
	struct scene *s = begin();
	char text[4096];

	(void)state;
	for (unsigned i = 0; i < sizeof(text) - 1; i++)
		text[i] = (char)(i % 255 + 1);
	text[sizeof(text) - 1] = '\0';
	say_line(&s->fake.fs, 3, text);
	say_line(&s->fake.fs, 3, "a\nb\033[2J\177\r");
	assert_int_equal(s->fake.n_log, 2);
	assert_true(strlen(s->fake.log[0]) < 980);
	for (const char *c = s->fake.log[0]; *c; c++)
		assert_true((unsigned char)*c >= 0x20 || (*c == '\n' && !c[1]));
	assert_string_equal(s->fake.log[1], "<3>vfio-claim: a?b?[2J??\n");
	scene_free(s);
}

static void the_longest_claim(void **state)
{
	struct scene *s = begin();

	(void)state;
	add_claim("abcdefghijklmnopqrstuvwxyz012345", OUTCOME_CLAIMED, REASON_NONE, "");
	report.claims[0].n = CONF_MAX_FUNCTIONS;
	for (unsigned i = 0; i < CONF_MAX_FUNCTIONS; i++) {
		report.functions[i].found = true;
		report.functions[i].address.domain = 0xffffffff;
	}
	say_report(&s->fake.fs, &report);
	assert_true(strlen(s->fake.log[0]) < 980);
	scene_free(s);
}

static void no_kernel_log_is_no_harm(void **state)
{
	struct scene *s = begin();

	(void)state;
	fake_fail(&s->fake, "dev/kmsg", EACCES, 0);
	say_line(&s->fake.fs, 6, "x");
	assert_int_equal(s->fake.n_log, 0);
	scene_free(s);
}

/* A captured machine has no kernel log of its own: stderr, and no level. */
static void captured_goes_to_stderr(void **state)
{
	struct scene *s = begin();
	char line[64] = "";
	int ends[2], old = dup(STDERR_FILENO);

	(void)state;
	s->fake.fs.captured = true;
	assert_int_equal(pipe(ends), 0);
	dup2(ends[1], STDERR_FILENO);
	say_line(&s->fake.fs, 6, "hello");
	dup2(old, STDERR_FILENO);
	close(old);
	close(ends[1]);
	assert_int_equal(read(ends[0], line, sizeof(line) - 1), 18);
	close(ends[0]);
	assert_string_equal(line, "vfio-claim: hello\n");
	assert_int_equal(s->fake.n_log, 0);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_and_words),
		cmocka_unit_test(one_line_for_everything),
		cmocka_unit_test(never_more_than_eight_lines),
		cmocka_unit_test(hostile_texts),
		cmocka_unit_test(the_longest_claim),
		cmocka_unit_test(no_kernel_log_is_no_harm),
		cmocka_unit_test(captured_goes_to_stderr),
	};

	return UNIT_RUN(tests);
}
