/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "list.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "iommu.h"
#include "names.h"
#include "survey.h"
#include "text.h"

struct bus {
	struct pci_address address; /* of one function on it */
	struct pci_path path;
	bool known;
};

/*
 * `last` is where the function before this one is. Functions of one bus differ in the
 * last step alone, virtual ones (drivers/pci/iov.c: their parent is that of the physical
 * function) included: one link tells the path of all.
 */
static bool find_path(struct fs *root, struct pci_address address, struct bus *last,
		      struct pci_path *ret)
{
	struct pci_path *path = &last->path;

	if (!last->known || last->address.domain != address.domain ||
	    last->address.bus != address.bus) {
		last->address = address;
		last->known = pci_path_of(root, address, path) == 0;
	} else if (path->depth) {
		path->devfn[path->depth - 1] = address.devfn;
	} else {
		path->root = address;
	}
	*ret = *path;
	return last->known;
}

int list_read(struct fs *root, const struct pci_list *all, struct list *ret)
{
	struct list list = { 0 };
	struct list_entry *e;
	struct names *names;
	struct bus bus = { .known = false };
	struct pci_path path;
	struct str s;
	int r;

	r = names_open(root, &names);
	if (r < 0)
		return r;
	list.entries = calloc(all->n + 1, sizeof(*list.entries));
	for (size_t i = 0; list.entries && i < all->n; i++, list.n++) {
		e = &list.entries[i];
		e->function = &all->functions[i];
		e->group = iommu_group_number(root, e->function->address);
		if (e->group < 0)
			e->group = -1;
		s = STR_ON(e->path);
		if (find_path(root, e->function->address, &bus, &path))
			pci_path_add(&s, &path);
		if (e->function->known)
			names_function(names, &e->function->ids, e->name,
				       sizeof(e->name));
		else
			str_copy(e->name, sizeof(e->name), _("cannot be read"));
	}
	names_close(names);
	if (!list.entries)
		return -ENOMEM;
	*ret = list;
	return 0;
}

void list_finish(struct list *list)
{
	free(list->entries);
	*list = (struct list){ 0 };
}

static int compare_groups(const void *a, const void *b)
{
	const struct list_entry *x = *(const struct list_entry *const *)a;
	const struct list_entry *y = *(const struct list_entry *const *)b;

	/* -1 becomes the largest */
	if (x->group != y->group)
		return (unsigned)x->group < (unsigned)y->group ? -1 : 1;
	return pci_address_compare(x->function->address, y->function->address);
}

const struct list_entry **list_by_group(const struct list *list)
{
	const struct list_entry **order = malloc((list->n + 1) * sizeof(*order));

	if (!order)
		return NULL;
	for (size_t i = 0; i < list->n; i++)
		order[i] = &list->entries[i];
	qsort(order, list->n, sizeof(*order), compare_groups);
	return order;
}

static void fill_row(const struct pci_function *f, int group, const char *name,
		     struct list_row *ret)
{
	struct str s = STR_ON(ret->address);

	pci_address_add(&s, f->address);
	if (group < 0)
		str_copy(ret->group, sizeof(ret->group), _("no group"));
	else
		snprintf(ret->group, sizeof(ret->group), _("group %d"), group);
	/* of a captured root anything can be written there */
	text_clean(ret->driver, sizeof(ret->driver), *f->driver ? f->driver : "-");
	str_copy(ret->name, sizeof(ret->name), name);
	if (!*ret->path)
		str_copy(ret->path, sizeof(ret->path), "-");
}

void list_row_card(const struct card_function *function, struct list_row *ret)
{
	struct str s = STR_ON(ret->path);

	pci_path_add(&s, &function->path);
	fill_row(&function->function, function->group, function->name, ret);
}

void list_row_entry(const struct list_entry *entry, struct list_row *ret)
{
	str_copy(ret->path, sizeof(ret->path), entry->path);
	fill_row(entry->function, entry->group, entry->name, ret);
}

static void widen(int *width, const char *text)
{
	const int len = (int)strlen(text);

	if (len > *width)
		*width = len;
}

void list_widen(struct list_widths *widths, const struct list_row *row)
{
	widen(&widths->address, row->address);
	widen(&widths->path, row->path);
	widen(&widths->group, row->group);
	widen(&widths->driver, row->driver);
}
