/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "needed.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include "slurp.h"

#define TABLE_MAX (4 * 1024 * 1024)
#define MAX_DEPTH 8 /* of devices on devices: LVM on LUKS on md is 4 */

struct search {
	struct fs *root;
	struct needed *needed;
	const char *what;
	bool every; /* mount, not only those that the machine lives on */
	int error; /* -ENOMEM */
};

/* Whether the list "a, b" has this one already. */
static bool says(const char *list, const char *what)
{
	const size_t len = strlen(what);

	for (const char *c = list; c; c = strstr(c, ", ")) {
		if (str_starts(c, ", "))
			c += 2;
		if (str_starts(c, what) && (c[len] == ',' || !c[len]))
			return true;
	}
	return false;
}

static void add(struct search *s, struct pci_address address)
{
	struct needed *list = s->needed;
	struct needed_function *f = NULL;
	struct str what;

	for (size_t i = 0; !f && i < list->n; i++)
		if (pci_address_compare(list->functions[i].address, address) == 0)
			f = &list->functions[i];
	if (!f && list->n == list->room) {
		size_t room = list->room ? list->room * 2 : 16;
		void *more = realloc(list->functions, room * sizeof(*list->functions));

		if (!more) {
			s->error = -ENOMEM;
			return;
		}
		list->functions = more;
		list->room = room;
	}
	if (!f) {
		f = &list->functions[list->n++];
		*f = (struct needed_function){ .address = address };
	}
	if (says(f->what, s->what))
		return;
	what = (struct str){ .buf = f->what,
			     .size = sizeof(f->what),
			     .len = strlen(f->what) };
	str_join(&what, *f->what ? ", " : "", s->what, NULL);
}

/* Every function in the way to a device: a disk below VMD needs two. */
static bool add_way(struct search *s, char *target)
{
	struct pci_address a;
	bool found = false;
	char *part;

	while ((part = strsep(&target, "/")))
		if (pci_address_parse(part, &a)) {
			add(s, a);
			found = true;
		}
	return found;
}

static void follow(struct search *s, const char *path, unsigned depth);

/* What a device is made of: md, device mapper, bcache; for md0p1 it is md0 that knows. */
static void follow_slaves(struct search *s, const char *path, unsigned depth)
{
	static const char *const leaves[] = { "/slaves", "/../slaves" };
	char folder[FS_PATH_MAX], slave[FS_PATH_MAX];
	struct name_list list;
	bool found = false;
	struct str at;

	for (size_t k = 0; !found && k < ARRAY_SIZE(leaves); k++) {
		at = STR_ON(folder);
		str_join(&at, path, leaves[k], NULL);
		if (at.cut || name_list_read(s->root, folder, &list) < 0)
			continue;
		for (size_t i = 0; i < list.n; i++) {
			at = STR_ON(slave);
			str_join(&at, folder, "/", list.names[i], NULL);
			if (!at.cut)
				follow(s, slave, depth + 1);
			found = true;
		}
		name_list_finish(&list);
	}
}

/* `path` is a link to a block device's folder below sys/devices. */
static void follow(struct search *s, const char *path, unsigned depth)
{
	char target[FS_PATH_MAX * 4];

	if (depth > MAX_DEPTH ||
	    s->root->ops->link(s->root, path, target, sizeof(target)) < 0)
		return;
	if (!add_way(s, target))
		follow_slaves(s, path, depth);
}

/* dm-3 for /dev/mapper/root */
static bool mapper_name(struct fs *root, const char *name, char *buf, size_t size)
{
	char path[FS_PATH_MAX], text[256];
	struct name_list list;
	bool found = false;
	struct str at;

	if (name_list_read(root, "sys/class/block", &list) < 0)
		return false;
	for (size_t i = 0; !found && i < list.n; i++) {
		if (!str_starts(list.names[i], "dm-"))
			continue;
		at = STR_ON(path);
		str_join(&at, "sys/class/block/", list.names[i], "/dm/name", NULL);
		found = !at.cut && fs_read_text(root, path, text, sizeof(text)) == 0 &&
			str_equal(text, name);
		if (found)
			str_copy(buf, size, list.names[i]);
	}
	name_list_finish(&list);
	return found;
}

/* The other devices of a btrfs that has one called `name`. */
static void follow_btrfs(struct search *s, const char *name)
{
	char folder[FS_PATH_MAX], path[FS_PATH_MAX];
	struct name_list all, devices;
	struct str at;

	if (name_list_read(s->root, "sys/fs/btrfs", &all) < 0)
		return;
	for (size_t i = 0; i < all.n; i++) {
		bool ours = false;

		at = STR_ON(folder);
		str_join(&at, "sys/fs/btrfs/", all.names[i], "/devices", NULL);
		if (at.cut || name_list_read(s->root, folder, &devices) < 0)
			continue;
		for (size_t k = 0; k < devices.n; k++)
			ours = ours || str_equal(devices.names[k], name);
		for (size_t k = 0; ours && k < devices.n; k++) {
			at = STR_ON(path);
			str_join(&at, folder, "/", devices.names[k], NULL);
			if (!at.cut)
				follow(s, path, 0);
		}
		name_list_finish(&devices);
	}
	name_list_finish(&all);
}

/* "/dev/sda2", "/dev/mapper/root" */
static void follow_node(struct search *s, const char *node)
{
	char name[256], path[FS_PATH_MAX];
	struct str at = STR_ON(name);
	const char *mapped = node;

	if (str_take_text(&mapped, "/dev/mapper/")) {
		if (!mapper_name(s->root, mapped, name, sizeof(name)))
			return;
	} else if (str_take_text(&node, "/dev/")) {
		str_add(&at, node);
		for (char *c = name; *c; c++)
			if (*c == '/')
				*c = '!'; /* as sysfs writes cciss/c0d0 */
	} else {
		return;
	}
	at = STR_ON(path);
	str_join(&at, "sys/class/block/", name, NULL);
	if (at.cut)
		return;
	follow(s, path, 0);
	follow_btrfs(s, name);
}

/* \040 and the like, as mountinfo and swaps have them */
static void unescape(char *text)
{
	char *to = text;

	for (const char *c = text; *c; to++) {
		if (c[0] == '\\' && c[1] >= '0' && c[1] <= '3' && c[2] >= '0' &&
		    c[2] <= '7' && c[3] >= '0' && c[3] <= '7') {
			*to = (char)((c[1] - '0') << 6 | (c[2] - '0') << 3 |
				     (c[3] - '0'));
			c += 4;
		} else {
			*to = *c++;
		}
	}
	*to = '\0';
}

struct mounted {
	const char *number, *point, *type;
	char *source;
};

/* 36 35 98:0 /mnt1 /mnt2 rw,noatime master:1 - ext3 /dev/root rw: proc(5) */
static bool parse_mount(char *line, struct mounted *ret)
{
	char *words[5], *rest;

	rest = strstr(line, " - ");
	if (!rest)
		return false;
	*rest = '\0';
	rest += 3;
	for (size_t i = 0; i < ARRAY_SIZE(words); i++) {
		words[i] = strsep(&line, " ");
		if (!words[i])
			return false;
	}
	unescape(words[4]);
	ret->number = words[2];
	ret->point = words[4];
	ret->type = strsep(&rest, " ");
	ret->source = rest ? strsep(&rest, " ") : NULL;
	if (ret->source)
		unescape(ret->source);
	return ret->source != NULL;
}

static void follow_mount(struct search *s, struct mounted *m)
{
	char path[FS_PATH_MAX], *node;
	struct str at = STR_ON(path);

	/* btrfs and the like have numbers of their own, of no device */
	if (!str_starts(m->number, "0:")) {
		str_join(&at, "sys/dev/block/", m->number, NULL);
		if (!at.cut && !strstr(m->number, "/"))
			follow(s, path, 0);
		return;
	}
	if (!str_starts(m->source, "/dev/"))
		return;
	/* bcachefs: /dev/sda:/dev/sdb */
	while ((node = strsep(&m->source, ":")))
		follow_node(s, node);
}

static bool is_vital(const char *point)
{
	static const char *const points[] = { "/", "/usr", "/boot", "/boot/efi", "/efi" };

	for (size_t i = 0; i < ARRAY_SIZE(points); i++)
		if (str_equal(points[i], point))
			return true;
	return false;
}

static bool below(const char *path, const char *point)
{
	const size_t len = strlen(point);

	return str_equal(point, "/") ||
	       (str_starts(path, point) && (path[len] == '/' || !path[len]));
}

/* Follows every vital mount, or, for a swap file, the one that it lies in. */
static void follow_mounts(struct search *s, const char *table, const char *file)
{
	char *copy = strdup(table), *rest = copy, *line;
	struct mounted m, best = { 0 };

	if (!copy)
		s->error = -ENOMEM;
	while (copy && (line = strsep(&rest, "\n"))) {
		if (!parse_mount(line, &m))
			continue;
		if (!file && (s->every || is_vital(m.point))) {
			s->what = m.point;
			follow_mount(s, &m);
		} else if (file && below(file, m.point) &&
			   (!best.point || strlen(m.point) >= strlen(best.point))) {
			best = m;
		}
	}
	if (best.point)
		follow_mount(s, &best);
	free(copy);
}

/* Filename Type Size Used Priority, after a heading */
static void follow_swaps(struct search *s, char *table, const char *mounts)
{
	char *line, *name;

	s->what = "swap";
	for (bool first = true; (line = strsep(&table, "\n")); first = false) {
		if (first || *line != '/')
			continue;
		name = strsep(&line, " \t");
		unescape(name);
		if (str_starts(name, "/dev/"))
			follow_node(s, name);
		else if (mounts)
			follow_mounts(s, mounts, name);
	}
}

static int compare(const void *a, const void *b)
{
	return pci_address_compare(((const struct needed_function *)a)->address,
				   ((const struct needed_function *)b)->address);
}

static int scan(struct fs *root, bool every, struct needed *ret)
{
	struct needed needed = { 0 };
	struct search s = { .root = root, .needed = &needed, .every = every };
	char *mounts = NULL, *swaps = NULL;
	size_t len;

	if (slurp(root, "proc/self/mountinfo", TABLE_MAX, &mounts, &len) == 0)
		follow_mounts(&s, mounts, NULL);
	if (slurp(root, "proc/swaps", TABLE_MAX, &swaps, &len) == 0)
		follow_swaps(&s, swaps, mounts);
	free(mounts);
	free(swaps);
	if (s.error) {
		needed_finish(&needed);
		return s.error;
	}
	if (needed.n)
		qsort(needed.functions, needed.n, sizeof(*needed.functions), compare);
	*ret = needed;
	return 0;
}

int needed_scan(struct fs *root, struct needed *ret)
{
	return scan(root, false, ret);
}

void needed_finish(struct needed *needed)
{
	free(needed->functions);
	*needed = (struct needed){ 0 };
}

const char *needed_find(const struct needed *needed, struct pci_address address)
{
	const struct needed_function key = { .address = address }, *f;

	if (!needed->n)
		return NULL;
	f = bsearch(&key, needed->functions, needed->n, sizeof(key), compare);
	return f ? f->what : NULL;
}

static bool by(struct fs *root, bool every, struct pci_address address, struct str *what)
{
	struct needed needed;
	const char *found;

	if (scan(root, every, &needed) < 0)
		return false;
	found = needed_find(&needed, address);
	if (found)
		str_add(what, found);
	needed_finish(&needed);
	return found != NULL;
}

bool needed_by(struct fs *root, struct pci_address address, struct str *what)
{
	return by(root, false, address, what);
}

bool needed_mounted(struct fs *root, struct pci_address address, struct str *what)
{
	return by(root, true, address, what);
}
