/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pci.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

/* Too large for a stack, and an allocation would cost system calls. */
static uint64_t keys[PCI_MAX_FUNCTIONS], sorted[PCI_MAX_FUNCTIONS];

static int add_name(void *arg, const char *name)
{
	size_t *n = arg;
	struct pci_address a;

	if (!pci_address_parse(name, &a))
		return 0;
	if (*n == PCI_MAX_FUNCTIONS)
		return -EFBIG;
	keys[(*n)++] = pci_address_key(a);
	return 0;
}

/* By four bits of the key; what has the same four stays in its order. */
static void sort_by(unsigned shift, size_t n)
{
	size_t at[16] = { 0 }, sum = 0, count;

	for (size_t i = 0; i < n; i++)
		at[keys[i] >> shift & 15]++;
	for (unsigned d = 0; d < 16; d++) {
		count = at[d];
		at[d] = sum;
		sum += count;
	}
	for (size_t i = 0; i < n; i++)
		sorted[at[keys[i] >> shift & 15]++] = keys[i];
	memcpy(keys, sorted, n * sizeof(*keys));
}

static void insert_sorted(size_t i)
{
	const uint64_t key = keys[i];

	for (; i > 0 && keys[i - 1] > key; i--)
		keys[i] = keys[i - 1];
	keys[i] = key;
}

/* qsort() of musl costs ten times as much. */
static void sort(size_t n)
{
	uint64_t differ = 0;

	/* a desktop's few are cheaper one by one */
	for (size_t i = 1; n <= 32 && i < n; i++)
		insert_sorted(i);
	if (n <= 32)
		return;
	for (size_t i = 1; i < n; i++)
		differ |= keys[i] ^ keys[0];
	for (unsigned shift = 0; differ >> shift; shift += 4)
		if (differ >> shift & 15)
			sort_by(shift, n);
}

int pci_list_addresses(struct fs *fs, const char *path, const uint64_t **ret_keys,
		       size_t *ret_n)
{
	int r;

	*ret_n = 0;
	r = fs->ops->list(fs, path, add_name, ret_n);
	sort(*ret_n);
	*ret_keys = keys;
	return r;
}

/* Moves *p over the `len` bytes of `word`, if they stand there. */
static inline bool take(const char **p, const char *end, const char *word, size_t len)
{
	if ((size_t)(end - *p) < len || memcmp(*p, word, len) != 0)
		return false;
	*p += len;
	return true;
}

#define TAKE(p, end, word) take(p, end, word, sizeof(word) - 1)

static bool line_ends(const char *p, const char *end)
{
	return p == end || *p == '\n';
}

static bool take_driver(const char **p, const char *end, char *ret)
{
	const char *name = *p;
	struct str s;

	while (!line_ends(*p, end))
		if (!*(*p)++)
			return false;
	str_init(&s, ret, PCI_DRIVER_LEN);
	str_add_n(&s, name, (size_t)(*p - name));
	return !s.cut;
}

static bool take_class(const char **p, const char *end, uint32_t *ret)
{
	uint64_t v;

	if (!str_take_hex(p, 1, 6, &v) || !line_ends(*p, end))
		return false;
	*ret = (uint32_t)v;
	return true;
}

static bool take_ids(const char **p, const char *end, uint16_t *vendor, uint16_t *device)
{
	return pci_id_take(p, vendor, device) && line_ends(*p, end);
}

/*
 * drivers/pci/pci-driver.c, pci_uevent(): PCI_CLASS=%04X PCI_ID=%04X:%04X
 * PCI_SUBSYS_ID=… What is not looked at may hold anything.
 */
static bool parse_uevent(const char *p, const char *end, struct pci_function *f)
{
	bool class = false, id = false, subsystem = false;

	for (; p < end; p++) {
		if (TAKE(&p, end, "DRIVER=")) {
			if (!take_driver(&p, end, f->driver))
				return false;
		} else if (TAKE(&p, end, "PCI_CLASS=")) {
			class = take_class(&p, end, &f->ids.class);
		} else if (TAKE(&p, end, "PCI_ID=")) {
			id = take_ids(&p, end, &f->ids.vendor, &f->ids.device);
		} else if (TAKE(&p, end, "PCI_SUBSYS_ID=")) {
			subsystem =
				take_ids(&p, end, &f->ids.subvendor, &f->ids.subdevice);
		} else if ((*p == 'M' || *p == 'P') && class && id && subsystem) {
			/* PCI_SLOT_NAME, MODALIAS: long, the last ones, and no news */
			break;
		}
		while (!line_ends(p, end))
			if (!*p++)
				return false;
	}
	return class && id && subsystem;
}

/* As fs_read_text(), which would look at each byte first. */
static int read_function(struct fs *fs, struct pci_function *f)
{
	char path[FS_PATH_MAX], text[4100];
	size_t len;
	int r;

	pci_device_path(path, sizeof(path), f->address, "uevent");
	r = fs->ops->read(fs, path, FS_ATTRIBUTE, text, sizeof(text) - 1, &len, NULL);
	if (r == 0 && len < sizeof(text) - 1) {
		text[len] = '\0';
		f->known = parse_uevent(text, text + len, f);
	}
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

int pci_scan(struct fs *fs, struct pci_list *ret)
{
	struct pci_list list = { 0 };
	const uint64_t *found;
	int gone, r;
	size_t n;

	r = pci_list_addresses(fs, PCI_DEVICES, &found, &n);
	if (r < 0 && r != -ENOENT)
		return r;
	if (n) {
		list.functions = calloc(n, sizeof(*list.functions));
		if (!list.functions)
			return -ENOMEM;
	}
	for (size_t i = 0; i < n; i++) {
		list.functions[list.n].address = pci_address_of(found[i]);
		gone = read_function(fs, &list.functions[list.n]);
		/* since the listing */
		list.n += gone != -ENOENT && gone != -ENODEV;
	}
	*ret = list;
	return 0;
}

void pci_list_finish(struct pci_list *list)
{
	free(list->functions);
	*list = (struct pci_list){ 0 };
}

static int compare_functions(const void *a, const void *b)
{
	return pci_address_compare(((const struct pci_function *)a)->address,
				   ((const struct pci_function *)b)->address);
}

const struct pci_function *pci_find(const struct pci_list *list,
				    struct pci_address address)
{
	const struct pci_function key = { .address = address };

	if (!list->n)
		return NULL;
	return bsearch(&key, list->functions, list->n, sizeof(key), compare_functions);
}
