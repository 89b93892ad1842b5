/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int add_name(void *arg, const char *name)
{
	struct pci_list *list = arg;
	struct pci_address a;

	if (!pci_address_parse(name, &a))
		return 0;
	if (list->n == PCI_MAX_FUNCTIONS)
		return -EFBIG;
	if (list->n == list->room) {
		size_t room = list->room ? list->room * 4 : 256;
		void *more = realloc(list->functions, room * sizeof(*list->functions));

		if (!more)
			return -ENOMEM;
		list->functions = more;
		list->room = room;
	}
	list->functions[list->n++] = (struct pci_function){ .address = a };
	return 0;
}

static bool line_ends(const char *p)
{
	return *p == '\n' || !*p;
}

static bool take_driver(const char *name, char *ret)
{
	size_t len = strcspn(name, "\n");
	struct str s;

	str_init(&s, ret, PCI_DRIVER_LEN);
	str_add_n(&s, name, len);
	return !s.cut;
}

/*
 * drivers/pci/pci-driver.c, pci_uevent(): PCI_CLASS=%04X PCI_ID=%04X:%04X PCI_SUBSYS_ID=…
 */
static bool parse_uevent(const char *p, struct pci_function *f)
{
	bool class = false, id = false, subsystem = false;
	uint64_t v;

	while (*p) {
		if (str_take_text(&p, "DRIVER=")) {
			if (!take_driver(p, f->driver))
				return false;
		} else if (str_take_text(&p, "PCI_CLASS=")) {
			class = str_take_hex(&p, 1, 6, &v) && line_ends(p);
			if (class)
				f->ids.class = (uint32_t)v;
		} else if (str_take_text(&p, "PCI_ID=")) {
			id = pci_id_take(&p, &f->ids.vendor, &f->ids.device) &&
			     line_ends(p);
		} else if (str_take_text(&p, "PCI_SUBSYS_ID=")) {
			subsystem =
				pci_id_take(&p, &f->ids.subvendor, &f->ids.subdevice) &&
				line_ends(p);
		} else if (*p == 'M' && class && id && subsystem) {
			/* MODALIAS: the longest line, the last one, and no news in it */
			break;
		}
		while (*p && *p++ != '\n')
			;
	}
	return class && id && subsystem;
}

static int read_function(struct fs *fs, struct pci_function *f)
{
	char path[FS_PATH_MAX], text[4100];
	int r;

	pci_device_path(path, sizeof(path), f->address, "uevent");
	r = fs_read_text(fs, path, text, sizeof(text));
	if (r == 0)
		f->known = parse_uevent(text, f);
	if (!f->known) {
		memset(&f->ids, 0, sizeof(f->ids));
		f->driver[0] = '\0';
	}
	return r;
}

int pci_read(struct fs *fs, struct pci_address address, struct pci_function *ret)
{
	int r;

	*ret = (struct pci_function){ .address = address };
	r = read_function(fs, ret);
	return r == 0 && !ret->known ? -EBADMSG : r;
}

static int compare_functions(const void *a, const void *b)
{
	return pci_address_compare(((const struct pci_function *)a)->address,
				   ((const struct pci_function *)b)->address);
}

int pci_scan(struct fs *fs, struct pci_list *ret)
{
	struct pci_list list = { 0 };
	size_t n = 0;
	int r;

	r = fs->ops->list(fs, PCI_DEVICES, add_name, &list);
	if (r < 0 && r != -ENOENT) {
		pci_list_finish(&list);
		return r;
	}
	if (list.n)
		qsort(list.functions, list.n, sizeof(*list.functions), compare_functions);
	for (size_t i = 0; i < list.n; i++) {
		r = read_function(fs, &list.functions[i]);
		/* gone since the listing */
		if (r != -ENOENT && r != -ENODEV)
			list.functions[n++] = list.functions[i];
	}
	list.n = n;
	*ret = list;
	return 0;
}

void pci_list_finish(struct pci_list *list)
{
	free(list->functions);
	*list = (struct pci_list){ 0 };
}

const struct pci_function *pci_find(const struct pci_list *list,
				    struct pci_address address)
{
	const struct pci_function key = { .address = address };

	if (!list->n)
		return NULL;
	return bsearch(&key, list->functions, list->n, sizeof(key), compare_functions);
}
