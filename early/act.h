/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Carrying out a plan: each claim is a transaction, bound as a whole or as it was found.
 *
 * The log says what was begun, before it is begun. It lives in memory that the parent
 * shares, so that it can undo what a worker left half done.
 */
#pragma once

#include "framebuffer.h"
#include "module.h"
#include "plan.h"

struct act_entry {
	struct pci_address address;
	char previous_driver[PCI_DRIVER_LEN]; /* empty: none */
	char previous_override[PCI_DRIVER_LEN]; /* empty: none */
	struct framebuffer framebuffer; /* empty: none to release */
	bool override_begun, release_begun, bind_begun;
	unsigned claim; /* conf_claim.first of its claim */
	bool kept; /* its claim is whole: not to be undone */
};

struct act_log {
	unsigned n;
	struct act_entry entries[CONF_MAX_FUNCTIONS];
	char step[128]; /* what is being done now; for the deadline's message */
};

/*
 * Makes sure that vfio-pci is there. Returns REASON_NONE, or the reason that holds for
 * every claim, with *ret_detail set to a static text.
 */
enum reason act_prepare(struct fs *fs, struct module_loader *loader, struct act_log *log,
			const char **ret_detail)
	__attribute__((nonnull, warn_unused_result));

/*
 * Binds all functions of a claim, or undoes all and sets the claim's reason and detail.
 * Its entries are appended to the log.
 */
void act_claim(struct fs *fs, struct module_loader *loader, const struct machine *machine,
	       struct plan_claim *claim, struct act_log *log) __attribute__((nonnull));

/* Undoes a claim that was bound whole. */
void act_release(struct fs *fs, struct module_loader *loader, struct plan_claim *claim,
		 struct act_log *log) __attribute__((nonnull));

/* Leaves a claim, by its conf_claim.first, to the next act_undo(). */
void act_open(struct act_log *log, unsigned claim) __attribute__((nonnull));

/*
 * Gives back every function that was begun and is not kept. True if each is as it was
 * found; else the first that is not is appended to `lost`.
 */
bool act_undo(struct fs *fs, struct module_loader *loader, struct act_log *log,
	      struct str *lost) __attribute__((nonnull, warn_unused_result));
