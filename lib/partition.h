/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Partitions by PARTUUID, found with libblkid. The one part of lib/ that is more than
 * libc; behind a function pointer, so that tests can put their disks in.
 */
#pragma once

#include "fs.h"
#include "record.h"

struct partition {
	char partuuid[RECORD_PARTUUID_LEN]; /* lower case */
	char device[64]; /* "/dev/sda1" */
	char type[16]; /* of its file system, as mount(2) knows it; empty: none known */
};

struct partition_finder {
	/*
	 * Looks at every partition there is now. Returns 0 with *ret filled, -ENOENT if
	 * there is none of this PARTUUID, -EBUSY if a hibernated system waits on one of
	 * the partitions: mounting what it has mounted would destroy it.
	 */
	int (*find)(struct partition_finder *finder, struct fs *root,
		    const char *partuuid, struct partition *ret);
};

struct partition_finder partition_finder_blkid(void);
