/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What the next boot has to go by, as it is now: files, loaders, partitions, kernels.
 */
#pragma once

#include "slurp.h"
#include "str.h"

#define BOOT_MAX_SIZE (16 * 1024 * 1024) /* bytes of a file */

/* One that is only looked at, symbolic links followed, control characters and all. */
int boot_look(struct fs *root, const char *path, char **ret)
	__attribute__((nonnull, warn_unused_result));

bool boot_exists(struct fs *root, const char *path) __attribute__((nonnull));

/* As the firmware's variable LoaderInfo has it. */
enum boot_started {
	BOOT_UNKNOWN, /* nobody says */
	BOOT_GRUB,
	BOOT_SYSTEMD,
	BOOT_REFIND,
	BOOT_LIMINE,
	BOOT_OTHER,
};
/* Its text, cleaned, goes to `name` ("" if nobody says). */
enum boot_started boot_started(struct fs *root, char *name, size_t size)
	__attribute__((nonnull));

/* No UEFI in a machine whose /sys is there. */
bool boot_is_bios(struct fs *root) __attribute__((nonnull));

/* ID or ID_LIKE of os-release names one of these; NULL terminated. */
bool boot_os_is(struct fs *root, const char *const *ids) __attribute__((nonnull));

/* Where EFI system partitions and XBOOTLDR are mounted; ends with NULL. */
extern const char *const boot_partitions[];

/* Kernels in usr/lib/modules. */
int boot_kernels(struct fs *root, struct name_list *ret)
	__attribute__((nonnull, warn_unused_result));

/* Where something is wrong: "/PATH:LINE: REASON"; line 0: none. */
void boot_at(struct str *why, const char *path, unsigned line, const char *reason)
	__attribute__((nonnull));

/* Why a file that is to be edited cannot even be read. */
const char *boot_reason(int error) __attribute__((returns_nonnull));
