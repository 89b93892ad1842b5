/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early.h"

#include "worker.h"

/* a loaded machine is not a hung one: recovery has more than the 2 s of a boot */
#define worker_run(fn, arg, ms) worker_run(fn, arg, (ms) < 5000 ? 30000 : (ms))
#define main early_main
#include "../../early/main.c"

void early_bounded(struct start *start, const char *stage)
{
	const struct arguments a = { .root = "/" };

	for (size_t i = 0; i < ARRAY_SIZE(stages); i++)
		if (str_equal(stages[i].name, stage))
			bounded(start, &stages[i], &a);
}
