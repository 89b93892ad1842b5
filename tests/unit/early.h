/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A way into early/main.c. */
#pragma once

#include "start.h"

/* main() of vfio-claim-early. */
int early_main(int argc, char **argv);

/*
 * Worker, deadline, recovery and report of a stage ("start", "settle"), on a start whose
 * state is in shared memory.
 */
void early_bounded(struct start *start, const char *stage);
