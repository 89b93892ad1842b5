/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Where a record is kept: an EFI variable, or a file on the boot partition. Both are
 * mounted for as long as they are used, privately, whether or not the system has them
 * mounted, too. Below a captured root they are files of it: the partition is its boot/.
 */
#pragma once

#include "partition.h"
#include "record.h"

#define STORE_VARIABLE "VfioClaimRecord-5f4c1d2e-8a37-4b0c-9d61-3e7a52c8f014"
#define STORE_FILE "vfio-claim.record"
#define STORE_OFF_FILE "vfio-claim.off"

struct store {
	enum record_kind kind;
	struct fs fs;
	bool mounted; /* fs is its own */
	char path[80]; /* of the record */
};

/* True if the firmware has variables. */
bool store_efi_present(struct fs *root) __attribute__((nonnull));

/*
 * Both return 0 or a negative errno; on success the caller calls store_finish(). What the
 * system has mounted the other way (-EBUSY) is taken as it is: a later write may then say
 * -EROFS.
 */
int store_open_efi(struct fs *root, struct store *ret)
	__attribute__((nonnull, warn_unused_result));
int store_open_partition(struct fs *root, const struct partition *partition,
			 enum mount_use use, struct store *ret)
	__attribute__((nonnull, warn_unused_result));
void store_finish(struct store *store) __attribute__((nonnull));

/*
 * 0 with the table, empty if there is no record yet; -EBADMSG if what is there is no
 * whole record, or another negative errno.
 */
int store_read(struct store *store, struct record_table *ret)
	__attribute__((nonnull, warn_unused_result));

/* Returns 0 once it will survive a power cut, or a negative errno. */
int store_write(struct store *store, const struct record_table *table)
	__attribute__((nonnull, warn_unused_result));

/* True if the partition holds the file that switches everything off. */
bool store_has_off_file(struct store *store) __attribute__((nonnull));
