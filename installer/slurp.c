/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "slurp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "str.h"

/* Most files are small, and what cannot be known before is how large one of /proc is. */
int slurp(struct fs *root, const char *path, size_t max, char **ret, size_t *ret_len)
{
	size_t room = 64 * 1024, len = 0;
	char *text;
	int r;

	do {
		if (room > max + 1)
			room = max + 1;
		text = malloc(room + 1);
		if (!text)
			return -ENOMEM;
		r = root->ops->read(root, path, FS_FILE, text, room, &len, NULL);
		if (r < 0)
			free(text);
		if (r != -EFBIG || room > max)
			break;
		room *= 16;
	} while (true);
	if (r < 0)
		return r;
	text[len] = '\0';
	*ret = text;
	*ret_len = len;
	return 0;
}

bool path_is_plain(const char *path)
{
	size_t len;

	/* every component is a name */
	for (;; path += len + 1) {
		len = strcspn(path, "/");
		if (len == 0 || (len == 1 && path[0] == '.') ||
		    (len == 2 && path[0] == '.' && path[1] == '.'))
			return false;
		if (!path[len])
			return true;
	}
}

static int read_whole(int fd, size_t size, size_t max, char **ret, size_t *ret_len)
{
	size_t len = 0, room = size + 2;
	char *buf = malloc(room), *bigger;
	ssize_t n;
	int r = buf ? 0 : -ENOMEM;

	while (r == 0) {
		n = read(fd, buf + len, room - len - 1);
		if (n == 0)
			break;
		if (n > 0)
			len += (size_t)n;
		else if (errno != EINTR)
			r = -errno;
		if (len > max)
			r = -EFBIG;
		if (r < 0 || len + 1 < room)
			continue;
		/* it grows while it is read */
		room *= 2;
		bigger = realloc(buf, room);
		if (bigger)
			buf = bigger;
		else
			r = -ENOMEM;
	}
	if (r < 0) {
		free(buf);
		return r;
	}
	buf[len] = '\0';
	*ret = buf;
	*ret_len = len;
	return 0;
}

int slurp_fd(int fd, size_t max, char **ret, size_t *ret_len)
{
	struct stat st;

	if (fstat(fd, &st) < 0)
		return -errno;
	if (!S_ISREG(st.st_mode))
		return -EINVAL;
	if ((size_t)st.st_size > max)
		return -EFBIG;
	return read_whole(fd, (size_t)st.st_size, max, ret, ret_len);
}

static int add_name(void *arg, const char *name)
{
	struct name_list *list = arg;

	if (list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 64;
		void *more = realloc(list->names, room * sizeof(*list->names));

		if (!more)
			return -ENOMEM;
		list->names = more;
		list->room = room;
	}
	list->names[list->n] = strdup(name);
	if (!list->names[list->n])
		return -ENOMEM;
	list->n++;
	return 0;
}

static int compare_names(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int name_list_read(struct fs *root, const char *path, struct name_list *ret)
{
	struct name_list list = { 0 };
	int r = root->ops->list(root, path, add_name, &list);

	if (r < 0) {
		name_list_finish(&list);
		return r;
	}
	if (list.n)
		qsort(list.names, list.n, sizeof(*list.names), compare_names);
	*ret = list;
	return 0;
}

void name_list_filter(struct name_list *list, bool (*keep)(void *arg, const char *name),
		      void *arg)
{
	size_t n = 0;

	for (size_t i = 0; i < list->n; i++) {
		if (keep(arg, list->names[i]))
			list->names[n++] = list->names[i];
		else
			free(list->names[i]);
	}
	list->n = n;
}

static bool ends_so(void *arg, const char *name)
{
	const char *suffix = arg;
	const size_t len = strlen(name), end = strlen(suffix);

	return len >= end && str_equal(name + len - end, suffix);
}

int name_list_find(struct fs *root, const char *path, const char *suffix,
		   struct name_list *ret)
{
	int r;

	*ret = (struct name_list){ 0 };
	r = name_list_read(root, path, ret);
	if (r < 0)
		return r == -ENOENT || r == -ENOTDIR ? 0 : r;
	name_list_filter(ret, ends_so, (void *)suffix);
	return 0;
}

void name_list_finish(struct name_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->names[i]);
	free(list->names);
	*list = (struct name_list){ 0 };
}
