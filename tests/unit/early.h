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

/* What an earlier stage left, as the program takes it: 0 or a negative errno. */
int early_load(struct start *start, const char *stage);

/* What happens while the lock of the state is waited for; NULL: nothing. */
extern void (*early_waits)(void);
