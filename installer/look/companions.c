/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "companions.h"

#include <errno.h>
#include <stdlib.h>

#define MAX_BEHIND 64 /* functions behind a card's own switch; more is a chipset's */

/*
 * Audio, USB, serial (NVIDIA's UCSI is 0c80) and communication: what a card has besides.
 */
static bool is_companion_class(const struct pci_ids *ids)
{
	const uint32_t class = ids->class >> 8;

	return class >> 8 == 0x04 || class >> 8 == 0x07 || class == 0x0c03 ||
	       class == 0x0c80;
}

/*
 * AMD's processors have their own USB, audio and security processor (1022) in the slot of
 * their graphics (1002): those are the host's.
 */
static bool is_processors(const struct pci_function *display,
			  const struct pci_function *other)
{
	return display->ids.vendor == 0x1002 && other->ids.vendor == 0x1022;
}

static void add(struct companions *list, struct pci_address address)
{
	size_t at = 0;
	int order;

	for (; at < list->n; at++) {
		order = pci_address_compare(list->addresses[at], address);
		if (order == 0)
			return;
		if (order > 0)
			break;
	}
	if (list->n == COMPANIONS_MAX)
		return;
	memmove(&list->addresses[at + 1], &list->addresses[at],
		(list->n - at) * sizeof(*list->addresses));
	list->addresses[at] = address;
	list->n++;
}

static bool is_virtual(struct fs *root, struct pci_address address)
{
	char path[FS_PATH_MAX];

	pci_device_path(path, sizeof(path), address, "physfn");
	return root->ops->exists(root, path) == 0;
}

bool companions_second_display(struct fs *root, const struct pci_list *all,
			       const struct pci_function *display)
{
	const struct pci_function *f = display;

	while (f-- > all->functions && pci_same_slot(f->address, display->address))
		if (f->known && pci_is_display(&f->ids))
			return !is_virtual(root, display->address);
	return false;
}

/* What cannot be read is taken, too, so that somebody notices. */
static void add_slot(struct fs *root, const struct pci_list *all,
		     const struct pci_function *display, struct companions *ret)
{
	const struct pci_function *end = all->functions + all->n, *f = display;

	while (f > all->functions && pci_same_slot(f[-1].address, display->address))
		f--;
	for (; f < end && pci_same_slot(f->address, display->address); f++) {
		if (f == display || (f->known && pci_is_bridge(&f->ids)) ||
		    is_processors(display, f))
			continue;
		if (f->known && pci_is_display(&f->ids) && is_virtual(root, f->address))
			continue;
		add(ret, f->address);
	}
}

struct linked {
	const struct pci_list *all;
	const struct pci_function *display;
	struct companions *ret;
};

/*
 * Documentation/driver-api/device_link.rst; quirk_gpu_hda() and its like in
 * drivers/pci/quirks.c make them.
 */
static int add_linked(void *arg, const char *name)
{
	const struct linked *l = arg;
	const struct pci_function *f;
	struct pci_address a;

	if ((!str_take_text(&name, "consumer:pci:") &&
	     !str_take_text(&name, "supplier:pci:")) ||
	    !pci_address_parse(name, &a))
		return 0;
	f = pci_find(l->all, a);
	if (f && f->known && is_companion_class(&f->ids) && !is_processors(l->display, f))
		add(l->ret, a);
	return 0;
}

struct behind {
	const struct pci_list *all;
	const struct pci_function *functions[MAX_BEHIND];
	size_t n;
	bool cut;
};

static int add_behind(void *arg, const char *name)
{
	struct behind *b = arg;
	const struct pci_function *f;
	struct pci_address a;

	if (!pci_address_parse(name, &a))
		return 0;
	f = pci_find(b->all, a);
	if (!f || b->n == MAX_BEHIND) {
		b->cut = true;
		return 1;
	}
	b->functions[b->n++] = f;
	return 0;
}

/*
 * A switch is the card's own if the display hangs at one of its ports and everything
 * behind it is this one card: audio and the like of the display's vendor, and no other
 * display.
 */
static bool is_own(const struct pci_function *display, const struct pci_function *f)
{
	return f == display ||
	       (f->known &&
		(pci_is_bridge(&f->ids) ||
		 (is_companion_class(&f->ids) && f->ids.vendor == display->ids.vendor)));
}

static bool read_behind(struct fs *root, const struct pci_function *display,
			struct pci_address upstream, struct behind *b)
{
	char path[FS_PATH_MAX];
	size_t next = 0;

	pci_device_path(path, sizeof(path), upstream, NULL);
	do {
		if (root->ops->list(root, path, add_behind, b) < 0 || b->cut)
			return false;
		for (; next < b->n; next++) {
			if (!is_own(display, b->functions[next]))
				return false;
			if (pci_is_bridge(&b->functions[next]->ids))
				break;
		}
		if (next < b->n)
			pci_device_path(path, sizeof(path), b->functions[next++]->address,
					NULL);
		else
			return true;
	} while (true);
}

/* The two bridges above, neither of them on a root bus. */
static bool ports_above(struct fs *root, const struct pci_list *all,
			const struct pci_function *display, struct pci_address *upstream)
{
	struct pci_address way[PCI_PATH_DEPTH + 1];
	char link[FS_PATH_MAX], target[FS_PATH_MAX * 4], *rest = target, *part;
	const struct pci_function *port;
	size_t n = 0;

	pci_device_path(link, sizeof(link), display->address, NULL);
	if (root->ops->link(root, link, target, sizeof(target)) < 0)
		return false;
	while ((part = strsep(&rest, "/"))) {
		if (str_starts(part, "pci"))
			n = 0; /* a root bus; VMD has one more below its controller */
		else if (n < ARRAY_SIZE(way) && pci_address_parse(part, &way[n]))
			n++;
	}
	/* root port, upstream port, downstream port, display */
	if (n < 4)
		return false;
	for (size_t i = n - 3; i < n - 1; i++) {
		port = pci_find(all, way[i]);
		if (!port || port->ids.class >> 8 != 0x0604)
			return false;
	}
	*upstream = way[n - 3];
	return true;
}

int companions_find(struct fs *root, const struct pci_list *all,
		    const struct pci_function *display, struct companions *ret)
{
	struct linked linked = { .all = all, .display = display, .ret = ret };
	struct behind behind = { .all = all };
	struct pci_address upstream;
	char path[FS_PATH_MAX];
	int r;

	*ret = (struct companions){ 0 };
	add_slot(root, all, display, ret);
	pci_device_path(path, sizeof(path), display->address, NULL);
	r = root->ops->list(root, path, add_linked, &linked);
	if (r < 0)
		return r;
	if (!ports_above(root, all, display, &upstream) ||
	    !read_behind(root, display, upstream, &behind))
		return 0;
	for (size_t i = 0; i < behind.n; i++)
		if (behind.functions[i] != display &&
		    !pci_is_bridge(&behind.functions[i]->ids))
			add(ret, behind.functions[i]->address);
	return 0;
}
