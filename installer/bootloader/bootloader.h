/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Boot loaders: where each keeps its kernel arguments, and how they are changed. One
 * backend a file. What cannot be edited safely is refused untouched, with the words to
 * add by hand.
 */
#pragma once

#include "args.h"
#include "change.h"
#include "str.h"

enum {
	BOOTLOADER_UNREAD = 1,
};

struct bootloader {
	const char *name; /* "grub-drop-in"; in the journal, so it never changes */
	const char *title; /* for people */

	/*
	 * True if this machine uses it, with what shows that appended to `evidence`
	 * (files, and LoaderInfo of EFI where there is one). False with something in
	 * `evidence`: the file that cannot be understood, and why. Looks only.
	 */
	bool (*probe)(struct fs *root, struct str *evidence);

	/* Appends the words that are configured now. 0 or a negative errno. */
	int (*show)(struct fs *root, struct args *ret);

	/*
	 * Appends what it takes so that every word of `add` is there and none of `remove`
	 * is; nothing if that holds already. Files it changes are CHANGE_ARGS, or
	 * CHANGE_FILE where the whole file is ours. Returns 0, or a negative errno with
	 * `why`, which names file and line and what to do by hand; then nothing was
	 * appended.
	 */
	int (*plan)(struct fs *root, const struct args *add, const struct args *remove,
		    struct changes *changes, struct str *why);

	/*
	 * Reads back what the loader will really use (grub.cfg, BLS entries, the UKI's
	 * .cmdline): does every bootable entry have `present` and none of `absent`? 0, or
	 * -ESTALE with `why` naming the entry, or another negative errno. BOOTLOADER_UNREAD
	 * with `why`: nothing is wrong as far as could be seen, but not all could.
	 */
	int (*verify)(struct fs *root, const struct args *present,
		      const struct args *absent, struct str *why);

	/*
	 * Appends the program that makes the boot menu, and with it the entries that
	 * leave the GPU to the host or to a guest. May be NULL. 0 or -ENOMEM.
	 */
	int (*menu)(struct fs *root, struct changes *changes);

	/*
	 * Whether menu() makes an entry for each claim that has one (boots/entries.h);
	 * appends what that takes besides. 0, or a negative errno with `why`: what is
	 * missing, and what to do. NULL: it cannot.
	 */
	int (*entries)(struct fs *root, struct changes *changes, struct str *why);

	/* Whether what the loader will use has that of a claim. NULL as entries. */
	bool (*has_entry)(struct fs *root, const char *claim);

	/*
	 * Appends the names of the claims that it has one of ours for, each once. 0 or a
	 * negative errno. NULL as entries.
	 */
	int (*list_entries)(struct fs *root, struct args *ret);

	/*
	 * Whether a file that plan() has seeded may not go while the kernel runs with our
	 * words: without it those would be taken. May be NULL: nothing is seeded.
	 */
	bool (*takes_running)(struct fs *root);
};

/*
 * The one that boots this machine, or NULL with `why`: none is known, two are equally
 * likely, or a file cannot be understood. The table's order is from the special to the general.
 */
const struct bootloader *bootloader_find(struct fs *root, struct str *evidence,
					 struct str *why)
	__attribute__((nonnull, warn_unused_result));

const struct bootloader *bootloader_named(const char *name) __attribute__((nonnull));
