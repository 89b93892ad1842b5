/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "early.h"

#include "worker.h"

/* a loaded machine is not a hung one: recovery has more than the 2 s of a boot */
#define worker_run(fn, arg, ms) worker_run(fn, arg, (ms) < 5000 ? 30000 : (ms))
#define main early_main
#include "../../early/main.c"

void early_bounded_start(struct start *start, const char *report)
{
	struct arguments a = { .report = report };

	bounded_start(start, &a);
}
