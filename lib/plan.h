/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Configuration + kernel arguments + machine → what to do; then what the record allows of
 * it. Pure: no I/O, no state.
 */
#pragma once

#include "kargs.h"
#include "machine.h"
#include "reason.h"
#include "record.h"

#define PLAN_DETAIL_LEN 240
#define PLAN_SAFE_MODE_DETAIL                              \
	"earlier boots like this one were not confirmed; " \
	"\"vfio-claim confirm --retry\" tries again"

struct plan_claim {
	const struct conf_claim *conf;
	enum reason reason; /* REASON_NONE: to be claimed */
	char detail[PLAN_DETAIL_LEN];
};

struct plan {
	enum reason reason; /* REASON_NONE: the claims decide */
	char detail[PLAN_DETAIL_LEN];
	bool uncounted; /* this boot is not counted: nothing would bring a display back */
	struct plan_claim claims[CONF_MAX_CLAIMS];
	unsigned n_claims;
};

void plan_make(const struct conf *conf, const struct kargs_choice *choice,
	       const struct machine *machine, struct plan *ret) __attribute__((nonnull));

/* True if anything is to be claimed. */
bool plan_claims(const struct plan *plan) __attribute__((nonnull));

/*
 * What equals a boot that was confirmed: kernel, configuration, every display and every
 * function that is to be claimed. Never 0.
 */
uint64_t plan_fingerprint(const struct conf *conf, const struct machine *machine,
			  const struct plan *plan) __attribute__((nonnull));

/*
 * Refuses everything once the attempts are used up, and, where no boot can be counted
 * (kind NONE), what would leave the host no display.
 */
void plan_record(const struct conf *conf, const struct machine *machine,
		 const struct record *record, struct plan *plan) __attribute__((nonnull));

/* Refuses whatever was to be claimed. */
void plan_refuse(struct plan *plan, enum reason reason, const char *detail)
	__attribute__((nonnull));

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
