/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "inventory.h"

#include <errno.h>
#include <fnmatch.h>
#include <stdlib.h>

#include "names.h"
#include "slurp.h"

void inventory_add(struct inventory *inventory, enum item_kind kind, const char *path,
		   const char *text)
{
	struct inventory *v = inventory;
	struct item item = { .kind = kind };

	if (v->error)
		return;
	if (v->n == v->room) {
		size_t room = v->room ? v->room * 2 : 1024;
		void *more = realloc(v->items, room * sizeof(*v->items));

		if (!more) {
			v->error = -ENOMEM;
			return;
		}
		v->items = more;
		v->room = room;
	}
	item.path = strdup(path);
	item.text = text ? strdup(text) : NULL;
	if (!item.path || (text && !item.text))
		v->error = -ENOMEM;
	v->items[v->n++] = item;
}

/* "sys/bus/pci/devices/X" and "../../../devices/Y" make "sys/devices/Y". */
static bool join(const char *path, const char *target, char *buf, size_t size)
{
	struct str s;
	size_t len;

	if (*target == '/')
		return false;
	str_init(&s, buf, size);
	str_add(&s, path);
	while (s.len && s.buf[s.len - 1] != '/')
		s.buf[--s.len] = '\0';
	for (; *target; target += len + (target[len] == '/')) {
		len = strcspn(target, "/");
		if (len == 0 || (len == 1 && *target == '.'))
			continue;
		if (len == 2 && str_starts(target, "..")) {
			if (!s.len)
				return false;
			do
				s.buf[--s.len] = '\0';
			while (s.len && s.buf[s.len - 1] != '/');
			continue;
		}
		str_add_n(&s, target, len);
		str_add_char(&s, '/');
	}
	if (s.len)
		s.buf[--s.len] = '\0';
	return !s.cut && s.len;
}

bool inventory_resolve(struct inventory *inventory, const char *path, char *buf,
		       size_t size)
{
	char target[FS_PATH_MAX * 4];
	struct str s;
	int r = inventory->root->ops->link(inventory->root, path, target, sizeof(target));

	if (r == -EINVAL) {
		str_init(&s, buf, size);
		str_add(&s, path);
		return !s.cut;
	}
	return r == 0 && join(path, target, buf, size);
}

void inventory_link(struct inventory *inventory, const char *path)
{
	char target[FS_PATH_MAX * 4], there[FS_PATH_MAX * 4];

	if (inventory->root->ops->link(inventory->root, path, target, sizeof(target)) ==
		    0 &&
	    join(path, target, there, sizeof(there)))
		inventory_add(inventory, ITEM_LINK, path, target);
}

bool inventory_enter(struct inventory *inventory, const char *path, char *buf,
		     size_t size)
{
	if (!inventory_resolve(inventory, path, buf, size))
		return false;
	if (!str_equal(path, buf))
		inventory_link(inventory, path);
	inventory_folder(inventory, buf);
	return true;
}

const char *const inventory_any[] = { "*", NULL };

bool inventory_below(char *buf, size_t size, const char *folder, const char *leaf)
{
	struct str s;

	str_init(&s, buf, size);
	str_join(&s, folder, "/", leaf, NULL);
	return !s.cut;
}

void inventory_each(struct inventory *inventory, const char *folder,
		    const char *const *patterns, inventory_fn *fn)
{
	char path[FS_PATH_MAX * 2];
	struct name_list list;
	int r = name_list_read(inventory->root, folder, &list);

	if (r == -ENOMEM)
		inventory->error = r;
	if (r < 0)
		return;
	for (size_t i = 0; i < list.n; i++)
		for (const char *const *p = patterns; *p; p++)
			if (fnmatch(*p, list.names[i], 0) == 0) {
				if (inventory_below(path, sizeof(path), folder,
						    list.names[i]))
					fn(inventory, path);
				break;
			}
	name_list_finish(&list);
}

void inventory_folder(struct inventory *inventory, const char *path)
{
	inventory_add(inventory, ITEM_FOLDER, path, NULL);
}

void inventory_attribute(struct inventory *inventory, const char *path)
{
	inventory_add(inventory, ITEM_ATTRIBUTE, path, NULL);
}

void inventory_file(struct inventory *inventory, const char *path)
{
	inventory_add(inventory, ITEM_FILE, path, NULL);
}

void inventory_empty(struct inventory *inventory, const char *path)
{
	inventory_add(inventory, ITEM_TEXT, path, "");
}

static int compare_items(const void *a, const void *b)
{
	const struct item *x = a, *y = b;
	const int order = strcmp(x->path, y->path);

	return order ? order : (int)x->kind - (int)y->kind;
}

static void free_item(struct item *item)
{
	free(item->path);
	free(item->text);
}

static void drop_doubles(struct inventory *v)
{
	size_t n = 0;

	for (size_t i = 0; i < v->n; i++)
		if (n && str_equal(v->items[n - 1].path, v->items[i].path))
			free_item(&v->items[i]);
		else
			v->items[n++] = v->items[i];
	v->n = n;
}

/* What the functions are called here, wherever it is unpacked. */
static void add_names(struct inventory *v, const struct pci_list *all)
{
	struct names *names;
	char *text;

	v->error = names_open(v->root, &names);
	if (v->error)
		return;
	text = names_extract(names, all);
	names_close(names);
	if (!text)
		v->error = -ENOMEM;
	else
		inventory_add(v, ITEM_TEXT, "usr/share/misc/pci.ids", text);
	free(text);
}

int inventory_take(struct inventory *inventory, struct fs *root)
{
	struct inventory *v = inventory;
	struct pci_list all;
	int r;

	*v = (struct inventory){ .root = root };
	r = pci_scan(root, &all);
	if (r < 0)
		return r;
	inventory_pci(v, &all);
	add_names(v, &all);
	pci_list_finish(&all);
	inventory_system(v);
	inventory_settings(v);
	if (v->error)
		return v->error;
	if (v->n)
		qsort(v->items, v->n, sizeof(*v->items), compare_items);
	drop_doubles(v);
	return 0;
}

void inventory_finish(struct inventory *inventory)
{
	for (size_t i = 0; i < inventory->n; i++)
		free_item(&inventory->items[i]);
	free(inventory->items);
	*inventory = (struct inventory){ 0 };
}
