/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Every file access of both programs.
 *
 * Paths are relative to a root ("sys/bus/pci/devices"), so that the same code runs on
 * this machine, on a captured tree, and, through another ops table, on the tests' model
 * of the kernel.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "mount.h"

#define FS_PATH_MAX 256 /* longest path that we build, terminator included */

struct fs;
struct stat;

struct fs_meta {
	uid_t uid;
	mode_t mode;
};

enum fs_extent {
	/* one read(): a sysfs attribute or a /proc value is whole after it */
	FS_ATTRIBUTE,
	FS_FILE, /* read until the end */
};

enum fs_how {
	FS_QUICK, /* for what lives in memory */
	FS_DURABLE, /* fsync() of the file, and of its folder after the rename */
};

typedef int fs_name_fn(void *arg, const char *name);

/*
 * Each returns 0 or a negative errno.
 *
 * read: up to `size` bytes into `buf`. -EFBIG if an FS_FILE holds more. `meta` may be NULL.
 * write: one write() to an existing file, -EIO if it is short.
 * link: the target of a symbolic link, NUL terminated; -ENAMETOOLONG if it does not fit.
 * list: calls `fn` for every name but . and .., in no order; stops at its first non-zero
 *	result and returns that.
 * exists: 0 or -ENOENT and the like.
 * replace: writes a whole file under a temporary name and renames it over `path`; the
 *	folder is made (0755) if only it is missing. Nothing is left behind on failure. With
 *	FS_DURABLE it has reached the disk when this returns 0.
 * remove: one name; not a folder.
 * put_variable: an EFI variable, attributes included, in one write(); it is made if it is
 *	missing. efivarfs makes unknown variables immutable: that is lifted first.
 * mount: a file system of its own, which nobody else sees (lib/mount.h). On success the
 *	caller calls fs_finish(), which unmounts it. -EPERM below a captured root.
 */
struct fs_ops {
	int (*read)(struct fs *fs, const char *path, enum fs_extent extent, char *buf,
		    size_t size, size_t *ret_len, struct fs_meta *meta);
	int (*write)(struct fs *fs, const char *path, const char *data, size_t len);
	int (*link)(struct fs *fs, const char *path, char *buf, size_t size);
	int (*list)(struct fs *fs, const char *path, fs_name_fn *fn, void *arg);
	int (*exists)(struct fs *fs, const char *path);
	int (*replace)(struct fs *fs, const char *path, const char *data, size_t len,
		       enum fs_how how);
	int (*remove)(struct fs *fs, const char *path);
	int (*put_variable)(struct fs *fs, const char *path, const char *data,
			    size_t len);
	int (*mount)(struct fs *fs, const char *type, const char *source,
		     enum mount_use use, struct fs *ret);
};

struct fs {
	const struct fs_ops *ops;
	int root_fd;
	/*
	 * not "/": no module is loaded, no program is run, and no symbolic link leads
	 * out of it
	 */
	bool captured;
};

/*
 * Opens `root`. Below any root but "/", no symbolic link leads out of it. Returns 0 or a
 * negative errno. On success the caller owns *ret and calls fs_finish().
 */
int fs_init(struct fs *ret, const char *root)
	__attribute__((nonnull, warn_unused_result));
/* The caller's own view: paths are relative to the working directory, or absolute. */
void fs_init_here(struct fs *ret) __attribute__((nonnull));
void fs_finish(struct fs *fs) __attribute__((nonnull));

/*
 * A descriptor below the root, close-on-exec; the caller closes it. `mode` counts with
 * O_CREAT only. Returns it or a negative errno.
 */
int fs_open(struct fs *fs, const char *path, int flags, mode_t mode)
	__attribute__((nonnull, warn_unused_result));

/*
 * A text attribute: NUL terminated, trailing newline stripped. -EFBIG if `size` has no
 * room for two bytes more, -EPROTO if it holds a NUL byte.
 */
int fs_read_text(struct fs *fs, const char *path, char *buf, size_t size)
	__attribute__((nonnull, warn_unused_result));

/* A whole text file; as above, but nothing is stripped. */
int fs_read_file(struct fs *fs, const char *path, char *buf, size_t size,
		 struct fs_meta *meta)
	__attribute__((nonnull(1, 2, 3), warn_unused_result));

/* Without opening it: to open a device can do something. 0 or a negative errno. */
int fs_stat(struct fs *fs, const char *path, struct stat *ret)
	__attribute__((nonnull, warn_unused_result));

/* The last component of a link's target. */
int fs_link_name(struct fs *fs, const char *path, char *buf, size_t size)
	__attribute__((nonnull, warn_unused_result));

int fs_write_text(struct fs *fs, const char *path, const char *text)
	__attribute__((nonnull, warn_unused_result));
