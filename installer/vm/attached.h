/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which of a domain's PCI functions are those of which claim: by its metadata, else by
 * where the claim's functions are now, else by where the configuration once saw them.
 */
#pragma once

#include "hostdev.h"
#include "metadata.h"

#define ATTACHED_NONE (-1)

struct attached_claim {
	char name[CONF_NAME_LEN];
	bool recorded; /* the metadata has it */
	struct metadata_claim metadata;
	struct claimed claimed; /* conf is NULL if the configuration has no such claim */
	int hostdevs[CLAIMED_MAX]; /* of each function, or ATTACHED_NONE */
};

struct attached_hostdev {
	/*
	 * whose it is; function is ATTACHED_NONE if the configuration has none of that
	 * path
	 */
	int claim, function;
	/* without metadata: another function of a claim was once at this address */
	bool doubtful;
};

/* 100 KiB: too large for a stack. */
struct attached {
	struct hostdev hostdevs[HOSTDEV_MAX];
	struct attached_hostdev of[HOSTDEV_MAX];
	size_t n_hostdevs;
	struct attached_claim claims[METADATA_MAX_CLAIMS];
	size_t n_claims;
	bool configured; /* there is a configuration */
};

/*
 * NULL: no memory. A machine without a configuration has no claims but those of the
 * metadata. free().
 */
struct attached *attached_read(struct fs *root, xmlNode *domain)
	__attribute__((nonnull, warn_unused_result));

const struct attached_claim *attached_find(const struct attached *a, const char *name)
	__attribute__((nonnull));

/* The function of a claim that a hostdev is, or NULL. */
const struct claimed_function *attached_function(const struct attached *a, size_t hostdev)
	__attribute__((nonnull));

/*
 * The claim that has gone without a hostdev's function since: optional, and not there.
 * ATTACHED_NONE: none. Without metadata it is where the configuration once saw it.
 */
int attached_awaited(const struct attached *a, size_t hostdev) __attribute__((nonnull));

/* Whether a hostdev's function is known, and at another address now. */
bool attached_moved(const struct attached *a, size_t hostdev) __attribute__((nonnull));
