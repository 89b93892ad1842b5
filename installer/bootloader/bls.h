/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Entries of the Boot Loader Specification: files in loader/entries, and unified kernel
 * images.
 */
#pragma once

#include "boot_files.h"

struct bls_entry {
	char *path; /* relative to the root */
	char *id; /* the file's name without .conf */
	char *version, *machine_id; /* "" if it says nothing */
	bool is_linux; /* boots Linux: not memtest, not another EFI program */
	struct args options; /* variables of GRUB's environment filled in */
};

struct bls {
	struct bls_entry *entries; /* by name */
	size_t n;
};

/* Appends those of one folder; none is no error. 0 or a negative errno. */
int bls_read(struct fs *root, const char *folder, struct bls *ret)
	__attribute__((nonnull, warn_unused_result));
/* Those of every EFI partition. 0 or a negative errno. */
int bls_read_all(struct fs *root, struct bls *ret)
	__attribute__((nonnull, warn_unused_result));
void bls_finish(struct bls *bls) __attribute__((nonnull));
#define BLS_OWNED __attribute__((cleanup(bls_finish)))

/* menu(), entries(), has_entry() and list_entries() of loaders that read such files. */
int bls_menu(struct fs *root, struct changes *changes)
	__attribute__((nonnull, warn_unused_result));
int bls_entries(struct fs *root, struct changes *changes, struct str *why)
	__attribute__((nonnull, warn_unused_result));
bool bls_has_entry(struct fs *root, const char *claim) __attribute__((nonnull));
int bls_list_entries(struct fs *root, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/*
 * The words of a unified kernel image. 0, -ENOENT if there is no such file, -ENODATA if
 * it has none, -EPROTO if it is no such image, or another negative errno.
 */
int bls_image_words(struct fs *root, const char *path, struct args *ret)
	__attribute__((nonnull, warn_unused_result));

/* Every image in EFI/Linux of every EFI partition; counts them. As verify(). */
int bls_verify_images(struct fs *root, const struct args *present,
		      const struct args *absent, size_t *count, struct str *why)
	__attribute__((nonnull, warn_unused_result));
int bls_verify_image(struct fs *root, const char *path, const struct args *present,
		     const struct args *absent, struct str *why)
	__attribute__((nonnull, warn_unused_result));
