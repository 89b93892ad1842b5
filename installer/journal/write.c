/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "write.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "durable.h"
#include "str.h"
#include "slurp.h"

static const char *name_of(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static int open_folder(struct fs *root, const char *path)
{
	const size_t len = (size_t)(name_of(path) - path);
	char *folder;
	int fd;

	if (!path_is_plain(path))
		return -EINVAL;
	folder = len ? strndup(path, len - 1) : strdup(".");
	if (!folder)
		return -ENOMEM;
	fd = fs_open(root, folder, O_RDONLY | O_DIRECTORY, 0);
	free(folder);
	return fd;
}

static char *temporary_name(const char *path)
{
	char *name;

	return asprintf(&name, ".%s" WRITE_SUFFIX, name_of(path)) < 0 ? NULL : name;
}

static bool unchanged(const struct change *c, const char *now, size_t len)
{
	if (!c->before || !now)
		return !c->before && !now;
	return c->before_len == len && memcmp(c->before, now, len) == 0;
}

/* By the folder's descriptor, so that it is the file that the rename will hit. */
static int look(struct staged *s)
{
	const char *name = name_of(s->change->path);
	char *now = NULL;
	size_t len = 0;
	int fd, r = 0;

	fd = openat(s->dir, name,
		    O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (fd < 0 && errno != ENOENT)
		return errno == ENXIO ? -EINVAL : -errno;
	if (fd >= 0) {
		s->existed = true;
		r = slurp_fd(fd, CHANGE_MAX_SIZE, &now, &len);
		if (r == 0)
			r = meta_read(fd, &s->meta);
		close(fd);
	}
	if (r == 0 && !unchanged(s->change, now, len))
		r = -ESTALE;
	free(now);
	return r;
}

static int create(struct staged *s)
{
	const int flags = O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC;
	int fd;

	s->temporary = temporary_name(s->change->path);
	if (!s->temporary)
		return -ENOMEM;
	fd = openat(s->dir, s->temporary, flags, 0600);
	/* what a killed run left behind, or somebody put there, is no file of ours */
	if (fd < 0 && errno == EEXIST && unlinkat(s->dir, s->temporary, 0) == 0)
		fd = openat(s->dir, s->temporary, flags, 0600);
	if (fd < 0) {
		const int error = errno;

		free(s->temporary);
		s->temporary = NULL;
		return -error;
	}
	s->fd = fd;
	return 0;
}

static int fill(struct staged *s, const struct meta *meta)
{
	const struct change *c = s->change;
	const struct meta fresh = { .mode = c->mode ? c->mode : 0644 };
	int r;

	r = create(s);
	if (r == 0)
		r = write_whole(s->fd, c->after, c->after_len);
	if (r == 0)
		r = s->existed ? meta_apply(s->fd, &s->meta)
		    : meta     ? meta_apply(s->fd, meta)
			       : meta_apply_fresh(s->fd, &fresh);
	if (r == 0 && fsync(s->fd) < 0)
		r = -errno;
	return r;
}

int write_stage(struct writer *writer, const struct change *change,
		const struct meta *meta)
{
	struct staged *items, *s;
	int r;

	items = reallocarray(writer->items, writer->n + 1, sizeof(*items));
	if (!items)
		return -ENOMEM;
	writer->items = items;
	s = &items[writer->n++];
	*s = (struct staged){ .change = change, .fd = -1 };
	s->dir = open_folder(writer->root, change->path);
	/* nothing is to go from a folder that is gone */
	if (s->dir == -ENOENT && !change->after && !change->before)
		return 0;
	if (s->dir < 0)
		return s->dir;
	r = look(s);
	if (r == 0 && change->after)
		r = fill(s, meta);
	return r;
}

int write_commit(struct staged *s)
{
	const char *name = name_of(s->change->path);

	if (s->dir < 0)
		return 0;
	return s->change->after
		       ? durable_rename(s->dir, s->fd, s->temporary, name, &s->committed)
		       : durable_unlink(s->dir, name, &s->committed);
}

void write_finish(struct writer *writer)
{
	for (struct staged *s = writer->items; s < writer->items + writer->n; s++) {
		if (s->temporary && !s->committed)
			unlinkat(s->dir, s->temporary, 0);
		if (s->fd >= 0)
			close(s->fd);
		if (s->dir >= 0)
			close(s->dir);
		free(s->temporary);
		meta_finish(&s->meta);
	}
	free(writer->items);
	*writer = (struct writer){ .root = writer->root };
}

int write_now(struct fs *root, const char *path, const char *data, size_t len,
	      mode_t mode)
{
	struct writer writer = { .root = root };
	struct change c = { .after = (char *)data, .after_len = len, .mode = mode };
	int r;

	c.path = strdup(path);
	r = c.path ? change_read(root, path, &c.before, &c.before_len) : -ENOMEM;
	if (r == 0)
		r = write_stage(&writer, &c, NULL);
	if (r == 0)
		r = write_commit(writer.items);
	write_finish(&writer);
	free(c.path);
	free(c.before);
	return r;
}

int write_read_meta(struct fs *root, const char *path, struct meta *ret)
{
	int fd = fs_open(root, path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY, 0), r;

	if (fd < 0)
		return fd;
	r = meta_read(fd, ret);
	close(fd);
	return r;
}

int write_remove(struct fs *root, const char *path)
{
	int dir = open_folder(root, path), r;
	bool gone;

	if (dir < 0)
		return dir == -ENOENT ? 0 : dir;
	r = durable_unlink(dir, name_of(path), &gone);
	close(dir);
	return r;
}

void write_clean(struct fs *root, const char *path)
{
	char *temporary = temporary_name(path);
	int dir = open_folder(root, path);

	if (temporary && dir >= 0)
		unlinkat(dir, temporary, 0);
	if (dir >= 0)
		close(dir);
	free(temporary);
}

int write_missing(struct fs *root, const char *path, int (*fn)(void *, const char *),
		  void *arg)
{
	char *folder = strdup(path);
	int fd, r = folder ? 0 : -ENOMEM;

	for (char *c = folder; r == 0 && (c = strchr(c, '/')); c++) {
		*c = '\0';
		fd = fs_open(root, folder, O_PATH | O_DIRECTORY, 0);
		if (fd >= 0)
			close(fd);
		else
			r = fd == -ENOENT ? fn(arg, folder) : fd;
		*c = '/';
	}
	free(folder);
	return r;
}

int write_folder(struct fs *root, const char *path, mode_t mode)
{
	int dir = open_folder(root, path), r = 0;
	mode_t mask;

	if (dir < 0)
		return dir;
	mask = umask(0);
	if (mkdirat(dir, name_of(path), mode) < 0)
		r = errno == EEXIST ? 0 : -errno;
	else if (fsync(dir) < 0)
		r = -errno;
	umask(mask);
	close(dir);
	return r;
}

void write_remove_folder(struct fs *root, const char *path)
{
	int dir = open_folder(root, path);

	if (dir < 0)
		return;
	if (unlinkat(dir, name_of(path), AT_REMOVEDIR) == 0)
		(void)fsync(dir);
	close(dir);
}
