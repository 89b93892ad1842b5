/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Machines with one claim each, to be claimed while something fails. */
#pragma once

#include "scene.h"

struct variant {
	const char *name;
	void (*make)(struct scene *);
};

extern const struct variant variants[];
extern const size_t variants_n;

struct fake_fault fault_at(unsigned at, int error, bool after);

/* The report says that the claim is whole. */
bool variants_whole(const struct scene *s);

/*
 * What the report says must be so: the claim is whole, or the machine as in `before` with
 * a reason; and every fault must have fired. Otherwise prints why and counts.
 */
void variants_judge(const struct scene *s, const struct scene *before, const char *name);
extern unsigned variants_bad;
