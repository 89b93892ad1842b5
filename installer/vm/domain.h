/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A domain that exists: its permanent definition, from libvirt or, below a captured root,
 * from libvirt's own file. It is changed as a tree, and saved with a copy of what it was.
 */
#pragma once

#include <stdio.h>

#include "fs.h"
#include "libvirt.h"
#include "tree.h"

#define DOMAIN_FOLDER "etc/libvirt/qemu"

struct domain {
	struct fs *root;
	char *name;
	virConnectPtr connection; /* NULL below a captured root */
	virDomainPtr handle;
	bool running;
	bool session; /* a user's libvirt, which cannot raise limits */
	bool read_only;
	char *text; /* as it was read */
	size_t prolog; /* of it: the comment before the root element */
	xmlDoc *doc;
	xmlNode *node; /* <domain> */
	char *before; /* the tree as text, unchanged */
};

void domain_finish(struct domain *d) __attribute__((nonnull));
#define DOMAIN_OWNED __attribute__((cleanup(domain_finish)))

/*
 * By name or, from libvirt, by UUID. False with `why`. On success the caller calls
 * domain_finish().
 */
bool domain_open(struct fs *root, const char *name, bool read_only, struct domain *ret,
		 struct str *why) __attribute__((nonnull, warn_unused_result));

/* Whether the tree differs from what was read. False without memory, too. */
bool domain_changed(const struct domain *d) __attribute__((nonnull));

/* Prints what changed, as diff -u does, without passwords. */
void domain_diff(const struct domain *d, FILE *out, bool colour) __attribute__((nonnull));

/*
 * Copies what was read to a new file in VM_FOLDER/backup, then defines the tree. False
 * with `why`: nothing was changed. *ret_backup is the copy's path; free().
 */
bool domain_save(struct domain *d, char **ret_backup, struct str *why)
	__attribute__((nonnull, warn_unused_result));
