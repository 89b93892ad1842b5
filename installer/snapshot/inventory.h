/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What belongs into a snapshot of a machine: paths, listed before anything is read.
 */
#pragma once

#include "pci.h"

enum item_kind {
	ITEM_FOLDER,
	ITEM_LINK, /* text is its target */
	ITEM_ATTRIBUTE, /* of sysfs: one read */
	ITEM_FILE,
	ITEM_TEXT, /* made here: text is its content */
};

struct item {
	char *path;
	enum item_kind kind;
	char *text;
};

struct inventory {
	struct fs *root;
	struct item *items;
	size_t n, room;
	int error; /* -ENOMEM */
};

/*
 * Everything, sorted by path, each path once. 0 or a negative errno; the caller calls
 * inventory_finish() either way.
 */
int inventory_take(struct inventory *inventory, struct fs *root)
	__attribute__((nonnull, warn_unused_result));
void inventory_finish(struct inventory *inventory) __attribute__((nonnull));

/* ---- for those that list: an error is remembered */

/* `text` may be NULL; both are copied. */
void inventory_add(struct inventory *inventory, enum item_kind kind, const char *path,
		   const char *text) __attribute__((nonnull(1, 3)));

typedef void inventory_fn(struct inventory *inventory, const char *path);

/* Calls `fn` for what is in a folder and matches one of the patterns, up to a NULL. */
void inventory_each(struct inventory *inventory, const char *folder,
		    const char *const *patterns, inventory_fn *fn)
	__attribute__((nonnull));
extern const char *const inventory_any[]; /* "*" */

/* "FOLDER/LEAF"; false if it does not fit. */
bool inventory_below(char *buf, size_t size, const char *folder, const char *leaf)
	__attribute__((nonnull));

/* As inventory_fn; EMPTY: that it is there is all there is to say of it. */
void inventory_folder(struct inventory *inventory, const char *path)
	__attribute__((nonnull));
void inventory_attribute(struct inventory *inventory, const char *path)
	__attribute__((nonnull));
void inventory_file(struct inventory *inventory, const char *path)
	__attribute__((nonnull));
void inventory_empty(struct inventory *inventory, const char *path)
	__attribute__((nonnull));

/* A link of sysfs, if it is one that leads nowhere else. */
void inventory_link(struct inventory *inventory, const char *path)
	__attribute__((nonnull));

/*
 * Where a link of sysfs leads, relative to the root; `path` itself if it is none. False
 * if it does not fit or leads out of the root.
 */
bool inventory_resolve(struct inventory *inventory, const char *path, char *buf,
		       size_t size) __attribute__((nonnull));

/*
 * What a link of a class leads to, with the link; `buf` gets its folder, relative to the
 * root. False: out of the root.
 */
bool inventory_enter(struct inventory *inventory, const char *path, char *buf,
		     size_t size) __attribute__((nonnull));

/* The functions, what drives them, groups, IOMMUs, displays. */
void inventory_pci(struct inventory *inventory, const struct pci_list *all)
	__attribute__((nonnull));
/* Disks, firmware, modules, /proc. */
void inventory_system(struct inventory *inventory) __attribute__((nonnull));
/* /etc, /boot, /run. */
void inventory_settings(struct inventory *inventory) __attribute__((nonnull));
