/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "names.h"

#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

#include <pci/pci.h>

#include "library.h"
#include "slurp.h"
#include "text.h"

#define DATABASE_MAX (16 * 1024 * 1024)
#define NAME_LEN 512

#define CALLS(CALL)           \
	CALL(pci_alloc)       \
	CALL(pci_cleanup)     \
	CALL(pci_lookup_name) \
	CALL(pci_set_name_list_path)
LIBRARY_CALLS(calls, CALLS);

struct names {
	struct pci_access *access;
	int fd; /* the captured root's database, -1: this machine's */
	char path[40];
};

/* libpci's error function must not return, and it gives us no pointer of our own. */
static jmp_buf failed;

static __attribute__((noreturn)) void on_error(char *message, ...)
{
	(void)message;
	longjmp(failed, 1);
}

static void on_message(char *message, ...)
{
	(void)message;
}

/* libpci opens by name, and a name could lead out of the root: it gets a copy. */
static int copy_database(struct fs *root)
{
	static const char *const places[] = { "usr/share/misc/pci.ids",
					      "usr/share/hwdata/pci.ids",
					      "var/lib/pciutils/pci.ids" };
	char *text = NULL;
	size_t len = 0;
	int fd, r = -ENOENT;

	for (size_t i = 0; r < 0 && i < ARRAY_SIZE(places); i++)
		r = slurp(root, places[i], DATABASE_MAX, &text, &len);
	if (r < 0)
		return r;
	/* libpci would unpack it, however much comes out */
	if (str_starts(text, "\x1f\x8b"))
		len = 0;
	fd = memfd_create("pci.ids", MFD_CLOEXEC);
	if (fd >= 0 && write(fd, text, len) != (ssize_t)len) {
		close(fd);
		fd = -1;
	}
	free(text);
	return fd < 0 ? -EIO : fd;
}

/* False, with that said once, if there is only numbers to be had. */
static bool is_there(void)
{
	static int result = 1;
	char text[640];
	struct str why = STR_ON(text);

	if (result > 0) {
		result = library_load(LIBRARY_PCI, calls, ARRAY_SIZE(calls), &why);
		if (result < 0)
			fprintf(stderr,
				_("vfio-claim: functions have no names here: %s\n"),
				text);
	}
	return result == 0;
}

static int open_access(struct fs *root, struct names *names)
{
	names->access = sym_pci_alloc();
	if (!names->access)
		return -ENOMEM;
	/*
	 * not pci_init(): that looks for a way to the devices, and gives up without one
	 */
	names->access->error = on_error;
	names->access->warning = on_message;
	names->access->debug = on_message;
	if (root->captured)
		names->fd = copy_database(root);
	if (names->fd >= 0) {
		snprintf(names->path, sizeof(names->path), "/proc/self/fd/%d", names->fd);
		sym_pci_set_name_list_path(names->access, names->path, 0);
	}
	return 0;
}

int names_open(struct fs *root, struct names **ret)
{
	struct names *names = calloc(1, sizeof(*names));
	int r = 0;

	if (!names)
		return -ENOMEM;
	names->fd = -1;
	if (is_there())
		r = open_access(root, names);
	if (r < 0)
		free(names);
	else
		*ret = names;
	return r;
}

void names_close(struct names *names)
{
	if (!names)
		return;
	if (names->access)
		sym_pci_cleanup(names->access);
	if (names->fd >= 0)
		close(names->fd);
	free(names);
}

static void finish(char *dst, size_t size, const char *name)
{
	text_clean(dst, size, name);
	if (!*dst)
		snprintf(dst, size, "?");
}

/* For a class only the first number counts. */
static bool lookup(struct names *names, int flags, unsigned a, unsigned b,
		   char ret[static NAME_LEN])
{
	if (!names->access || setjmp(failed) != 0)
		return false;
	return sym_pci_lookup_name(names->access, ret, NAME_LEN,
				   flags | PCI_LOOKUP_NO_HWDB, a, b) == ret;
}

void names_function(struct names *names, const struct pci_ids *ids, char *buf,
		    size_t size)
{
	char name[NAME_LEN];

	if (!lookup(names, PCI_LOOKUP_VENDOR | PCI_LOOKUP_DEVICE, ids->vendor,
		    ids->device, name))
		snprintf(name, sizeof(name), "Device %04x:%04x", ids->vendor,
			 ids->device);
	finish(buf, size, name);
}

static int compare_kinds(const void *a, const void *b)
{
	const struct pci_ids *x = a, *y = b;

	if (x->vendor != y->vendor)
		return x->vendor < y->vendor ? -1 : 1;
	return (x->device > y->device) - (x->device < y->device);
}

static void print_kind(struct names *names, const struct pci_ids *ids,
		       const struct pci_ids *last, FILE *out)
{
	char name[NAME_LEN], clean[NAME_LEN];

	if ((!last || last->vendor != ids->vendor) &&
	    lookup(names, PCI_LOOKUP_VENDOR | PCI_LOOKUP_NO_NUMBERS, ids->vendor, 0,
		   name)) {
		text_clean(clean, sizeof(clean), name);
		fprintf(out, "%04x  %s\n", ids->vendor, clean);
	}
	if ((!last || compare_kinds(last, ids) != 0) &&
	    lookup(names, PCI_LOOKUP_DEVICE | PCI_LOOKUP_NO_NUMBERS, ids->vendor,
		   ids->device, name)) {
		text_clean(clean, sizeof(clean), name);
		fprintf(out, "\t%04x  %s\n", ids->device, clean);
	}
}

char *names_extract(struct names *names, const struct pci_list *all)
{
	struct pci_ids *kinds = malloc((all->n + 1) * sizeof(*kinds));
	char *text = NULL;
	size_t len, n = 0;
	FILE *out = kinds ? open_memstream(&text, &len) : NULL;

	if (!out) {
		free(kinds);
		return NULL;
	}
	for (size_t i = 0; i < all->n; i++)
		if (all->functions[i].known)
			kinds[n++] = all->functions[i].ids;
	qsort(kinds, n, sizeof(*kinds), compare_kinds);
	fputs("# what the functions of this machine are called\n", out);
	for (size_t i = 0; i < n; i++)
		print_kind(names, &kinds[i], i ? &kinds[i - 1] : NULL, out);
	free(kinds);
	if (fclose(out) != 0) {
		free(text);
		return NULL;
	}
	return text;
}
