/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "slurp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

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

void name_list_finish(struct name_list *list)
{
	for (size_t i = 0; i < list->n; i++)
		free(list->names[i]);
	free(list->names);
	*list = (struct name_list){ 0 };
}
