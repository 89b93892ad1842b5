/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "late.h"

#include "unit.h"

void audio_is_late(struct scene *s)
{
	scene_desktop(s);
	scene_claim(s, "gaming", GPU, USB, NULL);
	scene_add_line(s, fake_at(&s->fake, AUDIO), "optional=yes");
	fake_pull(&s->fake, AUDIO);
}

void a_box(struct scene *s)
{
	scene_desktop(s);
	scene_claim_with(s, "optional=yes", "gaming", GPU, AUDIO, USB, NULL);
	fake_pull(&s->fake, GPU);
	fake_pull(&s->fake, AUDIO);
	fake_pull(&s->fake, USB);
	fake_driver(&s->fake, "xhci_hcd")->loaded = false;
}

struct scene *started(void (*how)(struct scene *))
{
	struct scene *s = scene_new(how);

	scene_run_whole(s);
	s->fake.n_log = 0;
	return s;
}

void assert_warning(const struct scene *s, const char *code, const char *part)
{
	const struct report *r = &s->state.report;

	for (unsigned i = 0; i < r->n_warnings; i++)
		if (str_equal(r->warnings[i].code, code)) {
			assert_contains(r->warnings[i].detail, part);
			return;
		}
	fail_msg("no warning %s", code);
}

void assert_no_warning(const struct scene *s, const char *code)
{
	for (unsigned i = 0; i < s->state.report.n_warnings; i++)
		assert_string_not_equal(s->state.report.warnings[i].code, code);
}
