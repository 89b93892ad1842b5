/* SPDX-License-Identifier: GPL-2.0-or-later */
/* A scene as far as the plan: what would be done, and nothing is. */
#pragma once

#include "scene.h"

struct planned {
	struct scene *s;
	struct conf conf;
	struct kargs_choice choice;
	struct machine machine;
	struct record record;
	struct plan plan;
};

/* A desktop, changed by `make` if that is not NULL. */
struct planned *planned_new(void (*make)(struct scene *));
void planned_free(struct planned *p);

/*
 * Plans anew for the scene as it is now, and for the record. Fails the test if that
 * writes.
 */
void plan_it(struct planned *p);

struct plan_claim *planned_claim(struct planned *p, const char *name);
void assert_planned(struct planned *p, const char *name, enum reason reason);
