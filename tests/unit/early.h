/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A way into early/main.c. */
#pragma once

#include "start.h"

#define VERSION "unit"

/* main() of vfio-claim-early. */
int early_main(int argc, char **argv);

/* Worker, deadline, recovery and report, on a start whose state is in shared memory. */
void early_bounded_start(struct start *start, const char *report);
