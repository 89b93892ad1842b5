/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Takes out of a snapshot what tells one machine from another of its kind: UUIDs, serial
 * numbers, machine ids and the host name. What was equal stays equal.
 */
#pragma once

#include <stdint.h>

#include "fs.h"

struct scrub;

/* Learns the host name. 0 or -ENOMEM; the caller calls scrub_free(). */
int scrub_new(struct fs *root, struct scrub **ret)
	__attribute__((nonnull, warn_unused_result));
void scrub_free(struct scrub *scrub);

/* For tests. An empty name is none. */
void scrub_set_host(struct scrub *scrub, const char *name) __attribute__((nonnull));

/*
 * A copy without them; `host`: the host name, too. The caller frees it; NULL: no memory.
 */
char *scrub_text(struct scrub *scrub, const char *text, bool host)
	__attribute__((nonnull, warn_unused_result));

/* The Device Serial Number of a configuration space (PCIe 6.0, 7.9.3). */
void scrub_config(struct scrub *scrub, uint8_t *bytes, size_t len)
	__attribute__((nonnull));

/*
 * A copy without the passwords and their hashes that GRUB's files can hold: these leave
 * the machine in no snapshot. The caller frees it; NULL: no memory.
 */
char *scrub_passwords(const char *text) __attribute__((nonnull, warn_unused_result));
