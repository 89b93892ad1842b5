/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration + kernel arguments + machine + record → what to do. Pure: no I/O, no
 * state.
 */
#pragma once

#include "kargs.h"
#include "machine.h"
#include "reason.h"
#include "record.h"

#define PLAN_DETAIL_LEN 240

struct plan_claim {
	const struct conf_claim *conf;
	enum reason reason; /* REASON_NONE: to be claimed */
	char detail[PLAN_DETAIL_LEN];
};

struct plan {
	enum reason reason; /* REASON_NONE: the claims decide */
	char detail[PLAN_DETAIL_LEN];
	bool record_missing; /* boots are not counted; worth a warning */
	struct plan_claim claims[CONF_MAX_CLAIMS];
	unsigned n_claims;
};

void plan_make(const struct conf *conf, const struct kargs_choice *choice,
	       const struct machine *machine, const struct record *record,
	       struct plan *ret) __attribute__((nonnull));

/* The functions of a claim. */
const struct machine_function *plan_functions(const struct machine *machine,
					      const struct plan_claim *claim)
	__attribute__((nonnull));

/*
 * Judges again whether the groups of a claim are viable, after others could not be
 * claimed. True if they are; otherwise the claim's reason and detail are set.
 */
bool plan_check_groups(const struct machine *machine, struct plan *plan,
		       struct plan_claim *claim) __attribute__((nonnull));
