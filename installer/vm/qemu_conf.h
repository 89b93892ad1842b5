/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * /etc/libvirt/qemu.conf: how libvirt's daemon of the system runs QEMU, and as whom.
 */
#pragma once

#include "check.h"

#define QEMU_CONF "etc/libvirt/qemu.conf"
#define QEMU_CONF_GROUPS 64

/*
 * A value, a list's brackets and all, without comments. False if it is not set, or the
 * file cannot be read. Uses c->text.
 */
bool qemu_conf_get(struct check *c, const char *key, char *buf, size_t size)
	__attribute__((nonnull, warn_unused_result));
/* Whether "word" with its quotes stands in a value. */
bool qemu_conf_has(const char *value, const char *word) __attribute__((nonnull));

struct qemu_user {
	char name[64];
	bool root;
	bool known; /* in /etc/passwd, or a number */
	uint32_t uid;
	uint32_t groups[QEMU_CONF_GROUPS];
	size_t n_groups;
};

/* The user of qemu.conf, else the distribution's. False: which one is not known. */
bool qemu_conf_user(struct check *c, struct qemu_user *ret)
	__attribute__((nonnull, warn_unused_result));
/* Whether that user may; `want` as access() takes it. What cannot be looked at: true. */
bool qemu_user_may(const struct check *c, const struct qemu_user *user, const char *path,
		   int want) __attribute__((nonnull));
