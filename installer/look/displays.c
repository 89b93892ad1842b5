/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "displays.h"

#include <errno.h>
#include <stdlib.h>

#include "framebuffer.h"
#include "slurp.h"
#include "text.h"

#define IOMEM_MAX (4 * 1024 * 1024)
#define DRM "sys/class/drm"

struct level {
	size_t blanks;
	struct pci_address address;
};

static void add_framebuffer(struct displays *d, struct pci_address address)
{
	if (!displays_framebuffer(d, address) &&
	    d->n_framebuffers < ARRAY_SIZE(d->framebuffers))
		d->framebuffers[d->n_framebuffers++] = address;
}

void displays_parse_iomem(struct displays *displays, char *iomem)
{
	struct level levels[PCI_PATH_DEPTH];
	size_t depth = 0, blanks;
	struct pci_address a;
	const char *name;

	while (framebuffer_next(&iomem, &blanks, &name)) {
		while (depth && levels[depth - 1].blanks >= blanks)
			depth--;
		if (pci_address_parse(name, &a)) {
			if (depth < ARRAY_SIZE(levels))
				levels[depth++] = (struct level){ blanks, a };
		} else if (framebuffer_named(name)) {
			for (size_t i = 0; i < depth; i++)
				add_framebuffer(displays, levels[i].address);
		}
	}
}

static int add_connector(struct displays *d, struct pci_address address, const char *name,
			 bool connected)
{
	if (d->n == d->room) {
		size_t room = d->room ? d->room * 2 : 16;
		void *more = realloc(d->connectors, room * sizeof(*d->connectors));

		if (!more)
			return -ENOMEM;
		d->connectors = more;
		d->room = room;
	}
	d->connectors[d->n].address = address;
	d->connectors[d->n].connected = connected;
	text_clean(d->connectors[d->n].name, sizeof(d->connectors[d->n].name), name);
	d->n++;
	return 0;
}

static bool is_connected(struct fs *root, const char *entry)
{
	char path[FS_PATH_MAX], status[32];
	struct str s = STR_ON(path);

	str_join(&s, DRM "/", entry, "/status", NULL);
	return !s.cut && fs_read_text(root, path, status, sizeof(status)) == 0 &&
	       str_equal(status, "connected");
}

/* The function that has this card; false for one of another bus. */
static bool device_of(struct fs *root, const char *card, struct pci_address *ret)
{
	char path[FS_PATH_MAX], name[PCI_ADDRESS_LEN];
	struct str s = STR_ON(path);

	str_join(&s, DRM "/", card, "/device", NULL);
	return !s.cut && fs_link_name(root, path, name, sizeof(name)) == 0 &&
	       pci_address_parse(name, ret);
}

/* card0-HDMI-A-1; sorted, so those of one card follow each other */
static int scan_connectors(struct fs *root, const struct name_list *list,
			   struct displays *d)
{
	char card[32] = "", last[32] = "";
	struct pci_address address = { 0 };
	bool known = false;
	int r = 0;

	for (size_t i = 0; r == 0 && i < list->n; i++) {
		const char *name = list->names[i], *dash = strchr(name, '-');
		struct str s = STR_ON(card);

		if (!dash || !str_starts(name, "card"))
			continue;
		str_add_n(&s, name, (size_t)(dash - name));
		if (s.cut)
			continue;
		if (!str_equal(card, last))
			known = device_of(root, card, &address);
		str_copy(last, sizeof(last), card);
		if (known)
			r = add_connector(d, address, dash + 1, is_connected(root, name));
	}
	return r;
}

int displays_scan(struct fs *root, struct displays *ret)
{
	struct displays d = { 0 };
	struct name_list list;
	char *iomem;
	size_t len;
	int r = 0;

	if (slurp(root, "proc/iomem", IOMEM_MAX, &iomem, &len) == 0) {
		displays_parse_iomem(&d, iomem);
		free(iomem);
	}
	if (name_list_read(root, DRM, &list) == 0) {
		r = scan_connectors(root, &list, &d);
		name_list_finish(&list);
	}
	if (r < 0) {
		displays_finish(&d);
		return r;
	}
	*ret = d;
	return 0;
}

void displays_finish(struct displays *displays)
{
	free(displays->connectors);
	*displays = (struct displays){ 0 };
}

bool displays_framebuffer(const struct displays *displays, struct pci_address address)
{
	for (size_t i = 0; i < displays->n_framebuffers; i++)
		if (pci_address_compare(displays->framebuffers[i], address) == 0)
			return true;
	return false;
}
