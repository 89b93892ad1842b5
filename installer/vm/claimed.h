/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A claim of /etc/vfio-claim.conf as a guest gets it: where its functions are now, found
 * by identity, and where each will be in the guest.
 */
#pragma once

#include "conf.h"
#include "identity.h"

#define CLAIMED_MAX 32

struct claimed_function {
	const struct conf_function *conf;
	struct pci_function function; /* as it is now */
	struct pci_path path;
	enum match match;
	char detail[160]; /* unless exact */
	char name[128]; /* of the PCI database, never empty */
	/* in the guest: each display begins a device, the others are functions of one */
	unsigned device, number;
};

struct claimed {
	const struct conf_claim *conf;
	struct claimed_function
		functions[CLAIMED_MAX]; /* displays first within a device */
	size_t n;
	unsigned n_devices;
	/* optional, and not there: the claim goes without them */
	const struct conf_function *awaited[CLAIMED_MAX];
	size_t n_awaited;
};

/*
 * The configuration, read once; too large for a stack. Returns NULL with `why` in words
 * where there is none, or a wrong one.
 */
const struct conf *claimed_conf(struct fs *root, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* The claims' names, for messages: "gaming, render" */
void claimed_names(const struct conf *conf, struct str *s) __attribute__((nonnull));

/*
 * Every function of a claim, found or not; but optional ones that are not there only
 * where nothing of the claim is. Returns 0, -ENOENT if there is no such claim, -E2BIG if
 * it has more functions than a guest gets, or another negative errno; `why` says it in
 * words.
 */
int claimed_find(struct fs *root, const char *name, struct claimed *ret, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/*
 * Whether a guest can be given what this driver holds: vfio-pci or a variant of it. What
 * keeps a group viable is more.
 */
bool claimed_driver(const char *driver) __attribute__((nonnull));

/* Whether a function was found: exact or moved. */
bool claimed_found(const struct claimed_function *f) __attribute__((nonnull));

/*
 * Whether the claim can be used now: every function found, and held by vfio-pci. `why`
 * says what is not, and what to type.
 */
bool claimed_ready(const struct claimed *claimed, struct str *why)
	__attribute__((nonnull, warn_unused_result));
