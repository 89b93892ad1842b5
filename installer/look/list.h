/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What `vfio-claim list` shows: every function, rows of text, and JSON.
 */
#pragma once

#include "card.h"
#include "configured.h"

struct list_entry {
	const struct pci_function *function;
	char path[80]; /* empty: cannot be read */
	char name[128];
	int group;
};

struct list {
	struct list_entry *entries; /* sorted by address */
	size_t n;
};

/* Returns 0 or a negative errno; on success the caller calls list_finish(). */
int list_read(struct fs *root, const struct pci_list *all, struct list *ret)
	__attribute__((nonnull, warn_unused_result));
void list_finish(struct list *list) __attribute__((nonnull));

/* Sorted by group, those without one last. The caller frees it; NULL: no memory. */
const struct list_entry **list_by_group(const struct list *list)
	__attribute__((nonnull, warn_unused_result));

struct list_row {
	char address[PCI_ADDRESS_LEN], path[80], group[16], driver[PCI_DRIVER_LEN];
	char name[128];
};

struct list_widths {
	int address, path, group, driver;
};

void list_row_card(const struct card_function *function, struct list_row *ret)
	__attribute__((nonnull));
void list_row_entry(const struct list_entry *entry, struct list_row *ret)
	__attribute__((nonnull));
void list_widen(struct list_widths *widths, const struct list_row *row)
	__attribute__((nonnull));

/* 0 or -ENOMEM. */
int list_print_json(struct fs *root, const struct cards *cards, const struct list *list,
		    const struct configured *configured)
	__attribute__((nonnull, warn_unused_result));
