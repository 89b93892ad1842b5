/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/vfio-claim.conf, strictly: whatever is not understood is an error with its line,
 * and then nothing is claimed.
 */
#pragma once

#include "fs.h"
#include "identity.h"
#include "record.h"
#include "setting.h"

#define CONF_PATH "etc/vfio-claim.conf"
#define CONF_MAX_CLAIMS 64
#define CONF_MAX_FUNCTIONS 256
#define CONF_MAX_SIZE (128 * 1024) /* bytes; 256 functions take a third of it */
#define CONF_MAX_LINE 1024 /* bytes, terminator included */
#define CONF_NAME_LEN 33

enum conf_record {
	CONF_RECORD_AUTO,
	CONF_RECORD_EFI,
	CONF_RECORD_PARTITION,
	CONF_RECORD_NONE,
};

struct conf_function {
	unsigned line;
	struct pci_address address; /* for people, and where to look first */
	struct identity identity;
	bool optional; /* its claim goes without it while it is not there */
	struct setting setting; /* its own words, before the claim's */
};

struct conf_claim {
	char name[CONF_NAME_LEN];
	unsigned line;
	unsigned first, n; /* among the functions */
	bool named; /* boot = named: claimed only where vfio_claim= names it */
	struct setting setting;
};

struct conf {
	bool require_display;
	unsigned max_attempts;
	unsigned trial_minutes; /* 1 to 1440 */
	enum conf_record record;
	char partuuid[RECORD_PARTUUID_LEN];
	struct conf_claim claims[CONF_MAX_CLAIMS];
	unsigned n_claims;
	struct conf_function functions[CONF_MAX_FUNCTIONS];
	unsigned n_functions;
	char text[CONF_MAX_SIZE + 2]; /* the file, after conf_load() */
};

struct conf_error {
	unsigned line; /* 0: the file as a whole */
	char text[128]; /* what was expected */
};

/* Whether it is not there, and its claim goes without it. In doubt it is not awaited. */
bool conf_awaits(const struct conf_function *function,
		 const struct identity_result *found) __attribute__((nonnull));

/* The claim of this name, or NULL. */
const struct conf_claim *conf_claim_find(const struct conf *conf, const char *name)
	__attribute__((nonnull));

/* Whether a claim may have this name: no word of vfio_claim=, nothing to be quoted. */
bool conf_name_ok(const char *name) __attribute__((nonnull));

/* Returns 0, or -EINVAL with *err filled. *ret is valid only on success. */
int conf_parse(const char *text, struct conf *ret, struct conf_error *err)
	__attribute__((nonnull, warn_unused_result));

/*
 * Reads and parses. The file must belong to root, or to whoever runs this, and be
 * writable by nobody else. Returns 0 or a negative errno with *err filled.
 */
int conf_load(struct fs *fs, const char *path, struct conf *ret, struct conf_error *err)
	__attribute__((nonnull, warn_unused_result));
