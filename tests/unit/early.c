/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early.h"

#include "worker.h"

/* a loaded machine is not a hung one: recovery has more than the 2 s of a boot */
#define worker_run(fn, arg, ms) worker_run(fn, arg, (ms) < 5000 ? 30000 : (ms))
#define state_lock early_lock
#define main early_main

static int early_lock(struct fs *root);

#include "../../early/main.c"

void (*early_waits)(void);

static int early_lock(struct fs *root)
{
	(void)root;
	if (early_waits)
		early_waits();
	return open("/dev/null", O_RDONLY | O_CLOEXEC);
}

static const struct stage *stage_of(const char *name)
{
	const struct stage *s = stages;

	while (!str_equal(s->name, name))
		s++;
	return s;
}

void early_bounded(struct start *start, const char *stage)
{
	const struct arguments a = { .root = "/" };

	bounded(start, stage_of(stage), &a);
}

int early_load(struct start *start, const char *stage)
{
	return load(start, stage_of(stage));
}
