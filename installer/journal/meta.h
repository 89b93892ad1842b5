/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a file is besides its content: mode, owner, extended attributes.
 */
#pragma once

#include <stddef.h>
#include <sys/types.h>

struct xattr {
	char *name;
	char *value;
	size_t len;
};

struct meta {
	mode_t mode; /* permission bits only */
	uid_t uid;
	gid_t gid;
	struct xattr *xattrs; /* ACLs and the SELinux context are among them */
	size_t n_xattrs;
};

/* Returns 0 or a negative errno; a file system without attributes has none. */
int meta_read(int fd, struct meta *ret) __attribute__((nonnull, warn_unused_result));

/* The file gets just these. */
int meta_apply(int fd, const struct meta *meta)
	__attribute__((nonnull, warn_unused_result));

/* Of a new file: attributes stay as its folder hands them down. */
int meta_apply_fresh(int fd, const struct meta *meta)
	__attribute__((nonnull, warn_unused_result));

void meta_finish(struct meta *meta) __attribute__((nonnull));

/* Appends a copy. 0 or -ENOMEM. */
int meta_add_xattr(struct meta *meta, const char *name, const char *value, size_t len)
	__attribute__((nonnull, warn_unused_result));
