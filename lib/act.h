/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out a plan: each claim is a transaction, bound as a whole or as it was found.
 *
 * The log says what was begun, before it is begun. It lives in memory that the parent
 * shares, so that it can undo what a worker left half done.
 */
#pragma once

#include "framebuffer.h"
#include "loader.h"
#include "plan.h"
#include "tune.h"

struct act_entry {
	struct pci_address address;
	char previous_driver[PCI_DRIVER_LEN]; /* empty: none */
	char previous_override[PCI_DRIVER_LEN]; /* empty: none */
	struct framebuffer framebuffer; /* empty: none to release */
	bool override_begun, release_begun, bind_begun;
	unsigned claim; /* conf_claim.first of its claim */
	bool kept; /* its claim is whole: not to be undone */
	struct setting want;
	struct tune_undo tuned;
};

struct act_log {
	unsigned n;
	bool plugged; /* what is open was just plugged in: the kernel may not be done */
	struct act_entry entries[CONF_MAX_FUNCTIONS];
	char step[128]; /* what is being done now; for the deadline's message */
	struct tune_notes notes; /* settings that were refused */
};

/* What is done next, to a function: the step. */
void act_note(struct act_log *log, const char *verb, struct pci_address address)
	__attribute__((nonnull));

/*
 * Makes sure that vfio-pci is there, with what all that is in the log says of it. Returns
 * REASON_NONE, or the reason that holds for every claim, which is appended to `detail`.
 */
enum reason act_prepare(struct fs *fs, struct module_loader *loader, struct act_log *log,
			struct str *detail) __attribute__((nonnull, warn_unused_result));

/*
 * A claim is named by its conf_claim.first. act_begin() appends those of its functions
 * that are there to the log, unless they are in it, and touches nothing. The others carry
 * on from there, with what is not kept; what goes wrong is undone for all of that,
 * returned as the claim's reason, and appended to `detail`.
 */
void act_begin(const struct machine *machine, const struct plan_claim *claim,
	       struct act_log *log) __attribute__((nonnull));

/* Whether a function is in the log: begun, and not to be begun again. */
bool act_has(const struct act_log *log, struct pci_address address)
	__attribute__((nonnull));

/* A function was pulled out: there is nothing to undo. False if the log has none such. */
bool act_forget(struct act_log *log, struct pci_address address) __attribute__((nonnull));

/* No driver takes the functions any more, not even vfio-pci; nothing is unbound. */
enum reason act_hold(struct fs *fs, struct module_loader *loader, struct act_log *log,
		     unsigned claim, struct str *detail)
	__attribute__((nonnull, warn_unused_result));

/* Binds them; what was held is kept, and to be opened first. */
enum reason act_bind(struct fs *fs, struct module_loader *loader, struct act_log *log,
		     unsigned claim, struct str *detail)
	__attribute__((nonnull, warn_unused_result));

/* Gives them back. True if each is as it was found; else one that is not is named. */
bool act_release(struct fs *fs, struct module_loader *loader, struct act_log *log,
		 unsigned claim, struct str *detail)
	__attribute__((nonnull, warn_unused_result));

/* Leaves a whole claim to the next act_bind() or act_undo(). */
void act_open(struct act_log *log, unsigned claim) __attribute__((nonnull));

/*
 * Gives back every function that was begun and is not kept. True if each is as it was
 * found; else the first that is not is appended to `lost`.
 */
bool act_undo(struct fs *fs, struct module_loader *loader, struct act_log *log,
	      struct str *lost) __attribute__((nonnull, warn_unused_result));
