/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "meta.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/xattr.h>
#include <unistd.h>

#define PERMISSIONS 07777

int meta_add_xattr(struct meta *meta, const char *name, const char *value, size_t len)
{
	struct xattr *bigger, x = { .len = len };

	bigger = reallocarray(meta->xattrs, meta->n_xattrs + 1, sizeof(*bigger));
	if (!bigger)
		return -ENOMEM;
	meta->xattrs = bigger;
	x.name = strdup(name);
	x.value = malloc(len + 1);
	if (!x.name || !x.value) {
		free(x.name);
		free(x.value);
		return -ENOMEM;
	}
	memcpy(x.value, value, len);
	x.value[len] = '\0';
	bigger[meta->n_xattrs++] = x;
	return 0;
}

/* The names, each NUL terminated; 0 bytes where there is no such thing. */
static int list_names(int fd, char **ret, size_t *ret_len)
{
	char *names = malloc(XATTR_LIST_MAX);
	ssize_t n;

	if (!names)
		return -ENOMEM;
	n = flistxattr(fd, names, XATTR_LIST_MAX);
	if (n < 0 && errno != ENOTSUP && errno != ENOSYS) {
		n = -errno;
		free(names);
		return (int)n;
	}
	*ret = names;
	*ret_len = n < 0 ? 0 : (size_t)n;
	return 0;
}

static int read_xattrs(int fd, struct meta *meta)
{
	char *names = NULL, *value = malloc(XATTR_SIZE_MAX);
	size_t len = 0;
	ssize_t n;
	int r;

	if (!value)
		return -ENOMEM;
	r = list_names(fd, &names, &len);
	for (const char *name = names; r == 0 && name < names + len;
	     name += strlen(name) + 1) {
		n = fgetxattr(fd, name, value, XATTR_SIZE_MAX);
		if (n >= 0)
			r = meta_add_xattr(meta, name, value, (size_t)n);
		else if (errno != ENODATA && errno != ENOTSUP)
			r = -errno;
	}
	free(names);
	free(value);
	return r;
}

int meta_read(int fd, struct meta *ret)
{
	struct meta meta = { 0 };
	struct stat st;
	int r;

	if (fstat(fd, &st) < 0)
		return -errno;
	meta.mode = st.st_mode & PERMISSIONS;
	meta.uid = st.st_uid;
	meta.gid = st.st_gid;
	r = read_xattrs(fd, &meta);
	if (r < 0)
		meta_finish(&meta);
	else
		*ret = meta;
	return r;
}

void meta_finish(struct meta *meta)
{
	for (size_t i = 0; i < meta->n_xattrs; i++) {
		free(meta->xattrs[i].name);
		free(meta->xattrs[i].value);
	}
	free(meta->xattrs);
	*meta = (struct meta){ 0 };
}

static const struct xattr *find(const struct meta *meta, const char *name)
{
	for (size_t i = 0; i < meta->n_xattrs; i++)
		if (strcmp(meta->xattrs[i].name, name) == 0)
			return &meta->xattrs[i];
	return NULL;
}

/* What is right already is not set: not everybody may set everything. */
static int set_xattrs(int fd, const struct meta *meta)
{
	struct meta now;
	const struct xattr *x;
	int r;

	r = meta_read(fd, &now);
	if (r < 0)
		return r;
	/* a folder's default ACL; a context cannot be removed */
	for (size_t i = 0; r == 0 && i < now.n_xattrs; i++)
		if (!find(meta, now.xattrs[i].name) &&
		    strncmp(now.xattrs[i].name, "security.", 9) != 0 &&
		    fremovexattr(fd, now.xattrs[i].name) < 0 && errno != ENODATA)
			r = -errno;
	for (size_t i = 0; r == 0 && i < meta->n_xattrs; i++) {
		const struct xattr *wanted = &meta->xattrs[i];

		x = find(&now, wanted->name);
		if (x && x->len == wanted->len &&
		    memcmp(x->value, wanted->value, x->len) == 0)
			continue;
		if (fsetxattr(fd, wanted->name, wanted->value, wanted->len, 0) < 0)
			r = -errno;
	}
	meta_finish(&now);
	return r;
}

/* FAT has one owner and one mode for everything: what is right already is not set. */
static int set_owner(int fd, const struct meta *meta)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (st.st_uid == meta->uid && st.st_gid == meta->gid)
		return 0;
	return fchown(fd, meta->uid, meta->gid) < 0 ? -errno : 0;
}

static int set_mode(int fd, const struct meta *meta)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if ((st.st_mode & PERMISSIONS) == meta->mode)
		return 0;
	return fchmod(fd, meta->mode) < 0 ? -errno : 0;
}

/*
 * In this order: a new owner clears capabilities and set-user-ID, an ACL changes the
 * mode.
 */
int meta_apply(int fd, const struct meta *meta)
{
	int r;

	r = set_owner(fd, meta);
	if (r == 0)
		r = set_xattrs(fd, meta);
	if (r == 0)
		r = set_mode(fd, meta);
	return r;
}

int meta_apply_fresh(int fd, const struct meta *meta)
{
	int r = set_mode(fd, meta);

	/* FAT: whatever it has been mounted with */
	return r == -EPERM ? 0 : r;
}
