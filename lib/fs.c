/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "durable.h"
#include "str.h"

/* linux/fs.h */
#define FS_IOC_GETFLAGS _IOR('f', 1, long)
#define FS_IOC_SETFLAGS _IOW('f', 2, long)
#define FS_IMMUTABLE_FL 0x10

/* linux/openat2.h, which musl does not come with */
#ifndef SYS_openat2
#define SYS_openat2 437
#endif
#define RESOLVE_IN_ROOT 0x10
#define OPEN_TRIES 10000

struct how {
	uint64_t flags, mode, resolve;
};

int fs_open(struct fs *fs, const char *path, int flags, mode_t mode)
{
	struct how how;
	int fd, tries = 0;

	if (!fs->captured) {
		fd = openat(fs->root_fd, path, flags | O_CLOEXEC, mode);
		return fd < 0 ? -errno : fd;
	}
	how = (struct how){ .flags = (uint64_t)(flags | O_CLOEXEC),
			    .mode = flags & O_CREAT ? mode : 0,
			    .resolve = RESOLVE_IN_ROOT };
	/* EAGAIN: a rename anywhere while ".." was followed, openat2(2) */
	do
		fd = (int)syscall(SYS_openat2, fs->root_fd, path, &how, sizeof(how));
	while (fd < 0 && errno == EAGAIN && ++tries < OPEN_TRIES);
	return fd < 0 ? -errno : fd;
}

static int open_below(struct fs *fs, const char *path, int flags)
{
	return fs_open(fs, path, flags, 0644);
}

int fs_stat(struct fs *fs, const char *path, struct stat *ret)
{
	const int fd = fs_open(fs, path, O_PATH, 0);
	int r;

	if (fd < 0)
		return fd;
	r = fstat(fd, ret) < 0 ? -errno : 0;
	close(fd);
	return r;
}

static int read_fd(int fd, enum fs_extent extent, char *buf, size_t size, size_t *ret_len)
{
	size_t len = 0;
	ssize_t n;

	for (;;) {
		n = read(fd, buf + len, size - len);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return -errno;
		len += (size_t)n;
		if (n == 0 || extent == FS_ATTRIBUTE)
			break;
		if (len == size)
			return -EFBIG;
	}
	*ret_len = len;
	return 0;
}

static int real_read(struct fs *fs, const char *path, enum fs_extent extent, char *buf,
		     size_t size, size_t *ret_len, struct fs_meta *meta)
{
	struct stat st;
	int fd, r = 0;

	/* O_NONBLOCK: a FIFO where a file is expected must not stop a boot */
	fd = open_below(fs, path, O_RDONLY | O_NOCTTY | O_NONBLOCK);
	if (fd < 0)
		return fd;
	if (meta) {
		if (fstat(fd, &st) < 0)
			r = -errno;
		else
			*meta = (struct fs_meta){ .uid = st.st_uid, .mode = st.st_mode };
	}
	if (r == 0)
		r = read_fd(fd, extent, buf, size, ret_len);
	close(fd);
	return r;
}

static int real_write(struct fs *fs, const char *path, const char *data, size_t len)
{
	ssize_t n;
	int fd, r = 0;

	fd = open_below(fs, path, O_WRONLY | O_NOCTTY);
	if (fd < 0)
		return fd;
	do
		n = write(fd, data, len);
	while (n < 0 && errno == EINTR);
	if (n < 0)
		r = -errno;
	else if ((size_t)n != len)
		r = -EIO;
	close(fd);
	return r;
}

static int real_link(struct fs *fs, const char *path, char *buf, size_t size)
{
	int fd, r = 0;
	ssize_t n;

	if (fs->captured) {
		fd = open_below(fs, path, O_PATH | O_NOFOLLOW);
		if (fd < 0)
			return fd;
		n = readlinkat(fd, "", buf, size);
		/* by descriptor, ENOENT means that it is no link */
		r = n >= 0 ? 0 : errno == ENOENT ? -EINVAL : -errno;
		close(fd);
	} else {
		n = readlinkat(fs->root_fd, path, buf, size);
		r = n < 0 ? -errno : 0;
	}
	if (r < 0)
		return r;
	if ((size_t)n == size)
		return -ENAMETOOLONG;
	buf[n] = '\0';
	return 0;
}

/* struct linux_dirent64, getdents64(2) */
struct entry {
	uint64_t ino;
	int64_t off;
	uint16_t reclen;
	uint8_t type;
	char name[];
};

static int real_list(struct fs *fs, const char *path, fs_name_fn *fn, void *arg)
{
	/*
	 * room for some thousand names in one call; readdir() would make one call for
	 * every 50
	 */
	static uint64_t large[256 * 1024 / sizeof(uint64_t)];
	static bool large_taken;
	/* of a list within a list */
	uint64_t small[4096 / sizeof(uint64_t)];
	const bool within = large_taken;
	uint64_t *buf = within ? small : large;
	const size_t size = within ? sizeof(small) : sizeof(large);
	const struct entry *e;
	long n;
	int fd, r = 0;

	fd = open_below(fs, path, O_RDONLY | O_DIRECTORY);
	if (fd < 0)
		return fd;
	large_taken = true;
	while (r == 0 && (n = syscall(SYS_getdents64, fd, buf, size)) != 0) {
		if (n < 0) {
			r = -errno;
			break;
		}
		for (long at = 0; r == 0 && at < n; at += e->reclen) {
			e = (const struct entry *)((const char *)buf + at);
			if (e->name[0] == '.' &&
			    (!e->name[1] || (e->name[1] == '.' && !e->name[2])))
				continue;
			r = fn(arg, e->name);
		}
	}
	large_taken = within;
	close(fd);
	return r;
}

static int real_exists(struct fs *fs, const char *path)
{
	int fd;

	if (!fs->captured)
		return faccessat(fs->root_fd, path, F_OK, 0) < 0 ? -errno : 0;
	fd = open_below(fs, path, O_PATH);
	if (fd >= 0)
		close(fd);
	return fd < 0 ? fd : 0;
}

static int replace_in(int dir, const char *name, const char *data, size_t len,
		      enum fs_how how)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	char temporary[FS_PATH_MAX];
	struct str s = STR_ON(temporary);
	bool renamed = false;
	int fd, r;

	str_join(&s, ".", name, ".new", NULL);
	if (s.cut)
		return -ENAMETOOLONG;
	fd = openat(dir, temporary, flags, 0644);
	/* what a killed run left behind, or somebody put there, is no file of ours */
	if (fd < 0 && errno == EEXIST && unlinkat(dir, temporary, 0) == 0)
		fd = openat(dir, temporary, flags, 0644);
	if (fd < 0)
		return -errno;
	r = write_whole(fd, data, len);
	if (r == 0 && how == FS_DURABLE) {
		r = fsync(fd) < 0 ? -errno
				  : durable_rename(dir, fd, temporary, name, &renamed);
	} else if (r == 0) {
		renamed = renameat(dir, temporary, dir, name) == 0;
		r = renamed ? 0 : -errno;
	}
	if (!renamed)
		unlinkat(dir, temporary, 0);
	if (close(fd) < 0 && r == 0)
		r = -errno;
	return r;
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int parent_of(const char *path, char *buf, size_t size)
{
	size_t len = (size_t)(base_name(path) - path);
	struct str s;

	str_init(&s, buf, size);
	if (len > 1)
		len--;
	str_add_n(&s, len ? path : ".", len ? len : 1);
	return s.cut ? -ENAMETOOLONG : 0;
}

static int open_parent(struct fs *fs, const char *path)
{
	char folder[FS_PATH_MAX];
	int r = parent_of(path, folder, sizeof(folder));

	return r < 0 ? r : open_below(fs, folder, O_RDONLY | O_DIRECTORY);
}

static int make_parent(struct fs *fs, const char *path)
{
	char folder[FS_PATH_MAX];
	int above, r;

	r = parent_of(path, folder, sizeof(folder));
	if (r < 0)
		return r;
	above = open_parent(fs, folder);
	if (above < 0)
		return above;
	if (mkdirat(above, base_name(folder), 0755) < 0)
		r = -errno;
	close(above);
	return r;
}

static int real_replace(struct fs *fs, const char *path, const char *data, size_t len,
			enum fs_how how)
{
	int dir, r;

	dir = open_parent(fs, path);
	if (dir == -ENOENT) {
		r = make_parent(fs, path);
		if (r < 0)
			return r;
		dir = open_parent(fs, path);
	}
	if (dir < 0)
		return dir;
	r = replace_in(dir, base_name(path), data, len, how);
	close(dir);
	return r;
}

static int real_remove(struct fs *fs, const char *path)
{
	int dir, r = 0;

	dir = open_parent(fs, path);
	if (dir < 0)
		return dir;
	if (unlinkat(dir, base_name(path), 0) < 0)
		r = -errno;
	close(dir);
	return r;
}

static void make_mutable(int fd)
{
	int flags;

	/* other file systems, and a captured tree, need not know of it */
	if (ioctl(fd, FS_IOC_GETFLAGS, &flags) == 0 && flags & FS_IMMUTABLE_FL) {
		flags &= ~FS_IMMUTABLE_FL;
		(void)ioctl(fd, FS_IOC_SETFLAGS, &flags);
	}
}

static int real_put_variable(struct fs *fs, const char *path, const char *data,
			     size_t len)
{
	bool made = false;
	ssize_t n;
	int fd, r;

	fd = open_below(fs, path, O_RDONLY | O_NONBLOCK);
	if (fd >= 0) {
		make_mutable(fd);
		close(fd);
	}
	fd = open_below(fs, path, O_WRONLY | O_NOCTTY | O_NONBLOCK);
	if (fd == -ENOENT) {
		fd = open_below(fs, path, O_WRONLY | O_CREAT | O_EXCL);
		made = fd >= 0;
	}
	if (fd < 0)
		return fd;
	n = write(fd, data, len);
	r = n < 0 ? -errno : (size_t)n == len ? 0 : -EIO;
	close(fd);
	/* efivarfs would show an empty one until it is unmounted */
	if (r < 0 && made)
		(void)real_remove(fs, path);
	return r;
}

static int real_mount(struct fs *fs, const char *type, const char *source,
		      enum mount_use use, struct fs *ret)
{
	int fd = fs->captured ? -EPERM : mount_private(type, source, use);

	if (fd < 0)
		return fd;
	*ret = (struct fs){ .ops = fs->ops, .root_fd = fd, .captured = true };
	return 0;
}

static const struct fs_ops real_ops = {
	.read = real_read,
	.write = real_write,
	.link = real_link,
	.list = real_list,
	.exists = real_exists,
	.replace = real_replace,
	.remove = real_remove,
	.put_variable = real_put_variable,
	.mount = real_mount,
};

int fs_init(struct fs *ret, const char *root)
{
	int fd = openat(AT_FDCWD, root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	*ret = (struct fs){
		.ops = &real_ops,
		.root_fd = fd,
		.captured = !str_equal(root, "/"),
	};
	return 0;
}

void fs_init_here(struct fs *ret)
{
	*ret = (struct fs){ .ops = &real_ops, .root_fd = AT_FDCWD };
}

void fs_finish(struct fs *fs)
{
	if (fs->root_fd >= 0)
		close(fs->root_fd);
	fs->root_fd = -1;
}

int fs_read_file(struct fs *fs, const char *path, char *buf, size_t size,
		 struct fs_meta *meta)
{
	size_t len;
	int r;

	r = fs->ops->read(fs, path, FS_FILE, buf, size - 1, &len, meta);
	if (r < 0)
		return r;
	if (memchr(buf, '\0', len))
		return -EPROTO;
	buf[len] = '\0';
	return 0;
}

int fs_read_text(struct fs *fs, const char *path, char *buf, size_t size)
{
	size_t len;
	int r;

	r = fs->ops->read(fs, path, FS_ATTRIBUTE, buf, size - 1, &len, NULL);
	if (r < 0)
		return r;
	if (len == size - 1)
		return -EFBIG;
	buf[len] = '\0';
	if (strlen(buf) != len)
		return -EPROTO;
	while (len > 0 && buf[len - 1] == '\n')
		len--;
	buf[len] = '\0';
	return 0;
}

int fs_link_name(struct fs *fs, const char *path, char *buf, size_t size)
{
	char target[FS_PATH_MAX * 2];
	const char *name;
	int r;

	r = fs->ops->link(fs, path, target, sizeof(target));
	if (r < 0)
		return r;
	name = strrchr(target, '/');
	name = name ? name + 1 : target;
	if (strlen(name) >= size)
		return -ENAMETOOLONG;
	str_copy(buf, size, name);
	return 0;
}

int fs_write_text(struct fs *fs, const char *path, const char *text)
{
	return fs->ops->write(fs, path, text, strlen(text));
}
