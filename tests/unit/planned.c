/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "planned.h"

#include "unit.h"

struct planned *planned_new(void (*make)(struct scene *))
{
	struct planned *p = calloc(1, sizeof(*p));

	p->s = scene_new(scene_desktop);
	if (make)
		make(p->s);
	return p;
}

void planned_free(struct planned *p)
{
	machine_finish(&p->machine);
	scene_free(p->s);
	free(p);
}

void plan_it(struct planned *p)
{
	struct fake *f = &p->s->fake;
	struct conf_error err;
	int r;

	machine_finish(&p->machine);
	r = conf_parse(p->s->conf, &p->conf, &err);
	assert_that(r == 0, "line %u: %s", err.line, err.text);
	kargs_choose(f->cmdline, &p->choice);
	assert_int_equal(machine_inspect(&f->fs, &p->conf, f->release, &p->machine), 0);
	plan_make(&p->conf, &p->choice, &p->machine, &p->plan);
	assert_false(p->plan.uncounted);
	if (plan_claims(&p->plan))
		plan_record(&p->conf, &p->machine, &p->record, &p->plan);
	assert_int_equal(f->writes, 0);
	assert_int_equal(f->loads, 0);
	for (unsigned i = 0; i < p->plan.n_claims; i++)
		assert_int_equal(p->plan.claims[i].detail[0] == '\0',
				 p->plan.claims[i].reason == REASON_NONE);
}

struct plan_claim *planned_claim(struct planned *p, const char *name)
{
	for (unsigned i = 0; i < p->plan.n_claims; i++)
		if (str_equal(p->plan.claims[i].conf->name, name))
			return &p->plan.claims[i];
	fail_msg("no claim %s", name);
	return NULL;
}

void assert_planned(struct planned *p, const char *name, enum reason reason)
{
	const struct plan_claim *c = planned_claim(p, name);

	assert_that(c->reason == reason, "%s: '%s', not '%s': %s", name,
		    reason_name(c->reason), reason_name(reason), c->detail);
}
