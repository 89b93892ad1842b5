/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "pci.h"

#include <errno.h>
#include <string.h>

static bool take_devfn(const char **p, uint8_t *ret)
{
	unsigned device, function;
	const char *c = *p;

	if (!str_take_digits(&c, 2, &device) || device > 31 || *c++ != '.' ||
	    !str_take_digits(&c, 1, &function) || function > 7)
		return false;
	*p = c;
	*ret = (uint8_t)(device << 3 | function);
	return true;
}

static bool take_address(const char **p, struct pci_address *ret)
{
	const char *c = *p;
	uint64_t domain;
	uint8_t devfn;
	unsigned bus;

	if (!str_take_hex(&c, 4, 8, &domain) || *c++ != ':' ||
	    !str_take_digits(&c, 2, &bus) || *c++ != ':' || !take_devfn(&c, &devfn))
		return false;
	*p = c;
	*ret = (struct pci_address){ (uint32_t)domain, (uint8_t)bus, devfn };
	return true;
}

bool pci_address_parse(const char *text, struct pci_address *ret)
{
	struct pci_address a;

	if (!take_address(&text, &a) || *text)
		return false;
	*ret = a;
	return true;
}

static char *put_devfn(char *p, uint8_t devfn)
{
	p = str_put_hex(p, devfn >> 3, 2);
	*p++ = '.';
	return str_put_hex(p, devfn & 7, 1);
}

static char *put_address(char *p, struct pci_address address)
{
	unsigned digits = 4;

	while (digits < 8 && address.domain >> (4 * digits))
		digits++;
	p = str_put_hex(p, address.domain, digits);
	*p++ = ':';
	p = str_put_hex(p, address.bus, 2);
	*p++ = ':';
	return put_devfn(p, address.devfn);
}

void pci_address_add(struct str *s, struct pci_address address)
{
	char text[PCI_ADDRESS_LEN];

	str_add_n(s, text, (size_t)(put_address(text, address) - text));
}

int pci_address_compare(struct pci_address a, struct pci_address b)
{
	const uint64_t k = pci_address_key(a), l = pci_address_key(b);

	return (k > l) - (k < l);
}

bool pci_path_parse(const char *text, struct pci_path *ret)
{
	struct pci_path path = { 0 };

	if (!take_address(&text, &path.root))
		return false;
	while (*text) {
		if (path.depth == PCI_PATH_DEPTH || !str_take_char(&text, '/') ||
		    !take_devfn(&text, &path.devfn[path.depth]))
			return false;
		path.depth++;
	}
	*ret = path;
	return true;
}

void pci_path_add(struct str *s, const struct pci_path *path)
{
	pci_address_add(s, path->root);
	for (unsigned i = 0; i < path->depth; i++) {
		char step[] = "/DD.F";

		put_devfn(step + 1, path->devfn[i]);
		str_add_n(s, step, sizeof(step) - 1);
	}
}

bool pci_path_equal(const struct pci_path *a, const struct pci_path *b)
{
	return pci_address_compare(a->root, b->root) == 0 && a->depth == b->depth &&
	       !memcmp(a->devfn, b->devfn, a->depth);
}

void pci_device_path_n(char *buf, size_t size, struct pci_address address,
		       const char *leaf, size_t len)
{
	char folder[sizeof(PCI_DEVICES) + 1 + PCI_ADDRESS_LEN] = PCI_DEVICES "/";
	char *p = put_address(folder + sizeof(PCI_DEVICES), address);
	struct str s;

	if (leaf)
		*p++ = '/';
	str_init(&s, buf, size);
	str_add_n(&s, folder, (size_t)(p - folder));
	if (leaf)
		str_add_n(&s, leaf, len);
}

int pci_path_of(struct fs *fs, struct pci_address address, struct pci_path *ret)
{
	char link[FS_PATH_MAX], target[FS_PATH_MAX * 4], *part, *rest;
	struct pci_path path = { 0 };
	struct pci_address a = { 0 };
	bool rooted = false;
	int r;

	pci_device_path(link, sizeof(link), address, NULL);
	r = fs->ops->link(fs, link, target, sizeof(target));
	if (r < 0)
		return r;
	/*
	 * ../../../devices/pci0000:00/0000:00:01.0/0000:01:00.0; VMD has a second
	 * pciDDDD:BB
	 */
	for (rest = target; (part = rest) && *part;) {
		rest = strchr(part, '/');
		if (rest)
			*rest++ = '\0';
		if (str_starts(part, "pci")) {
			rooted = false;
			continue;
		}
		if (!pci_address_parse(part, &a))
			continue;
		if (!rooted) {
			path = (struct pci_path){ .root = a };
			rooted = true;
		} else if (path.depth < PCI_PATH_DEPTH) {
			path.devfn[path.depth++] = a.devfn;
		} else {
			return -ENAMETOOLONG;
		}
	}
	if (!rooted || pci_address_compare(a, address) != 0)
		return -EPROTO;
	*ret = path;
	return 0;
}

struct step {
	uint32_t domain;
	uint8_t devfn;
	unsigned found;
	struct pci_address address;
};

static int match_step(void *arg, const char *name)
{
	struct step *step = arg;
	struct pci_address a;

	if (pci_address_parse(name, &a) && a.domain == step->domain &&
	    a.devfn == step->devfn) {
		step->address = a;
		step->found++;
	}
	return 0;
}

int pci_path_resolve(struct fs *fs, const struct pci_path *path,
		     const struct pci_address *hint, struct pci_address *ret)
{
	struct pci_path there;
	struct step step = { .domain = path->root.domain, .address = path->root };
	char folder[FS_PATH_MAX];
	int r;

	if (hint && pci_path_of(fs, *hint, &there) == 0 && pci_path_equal(&there, path)) {
		*ret = *hint;
		return 0;
	}
	if (path->depth == 0) {
		pci_device_path(folder, sizeof(folder), path->root, NULL);
		r = fs->ops->exists(fs, folder);
		if (r < 0)
			return r;
	}
	for (unsigned i = 0; i < path->depth; i++) {
		pci_device_path(folder, sizeof(folder), step.address, NULL);
		step.devfn = path->devfn[i];
		step.found = 0;
		r = fs->ops->list(fs, folder, match_step, &step);
		if (r < 0)
			return r;
		if (step.found != 1)
			return step.found ? -ENOTUNIQ : -ENOENT;
	}
	*ret = step.address;
	return 0;
}

bool pci_serial_parse(const char *text, uint64_t *ret)
{
	uint64_t v = 0, byte;

	for (unsigned i = 0; i < 8; i++) {
		if ((i && !str_take_char(&text, '-')) ||
		    !str_take_hex(&text, 2, 2, &byte))
			return false;
		v = v << 8 | byte;
	}
	if (*text)
		return false;
	*ret = v;
	return true;
}

bool pci_id_take(const char **p, uint16_t *ret_vendor, uint16_t *ret_device)
{
	unsigned first, second;
	const char *c = *p;

	if (!str_take_digits(&c, 4, &first) || *c++ != ':' ||
	    !str_take_digits(&c, 4, &second))
		return false;
	*p = c;
	*ret_vendor = (uint16_t)first;
	*ret_device = (uint16_t)second;
	return true;
}

bool pci_id_parse(const char *text, uint16_t *ret_vendor, uint16_t *ret_device)
{
	uint16_t vendor, device;

	if (!pci_id_take(&text, &vendor, &device) || *text)
		return false;
	*ret_vendor = vendor;
	*ret_device = device;
	return true;
}

static uint32_t dword(const uint8_t *b)
{
	return (uint32_t)b[0] | (uint32_t)b[1] << 8 | (uint32_t)b[2] << 16 |
	       (uint32_t)b[3] << 24;
}

void pci_config_parse(const uint8_t *bytes, size_t len, struct pci_config *ret)
{
	struct pci_config c = { .present = true };
	uint32_t header;
	size_t at = 0x100;

	if (len >= 64) {
		c.alive = (dword(bytes) & 0xffff) != 0xffff;
		c.header_type = bytes[0x0e] & 0x7f;
	}
	/*
	 * capabilities are 8 bytes or more: a list that loops ends after as many as could
	 * fit
	 */
	for (size_t hops = (4096 - 0x100) / 8; c.alive && hops > 0; hops--) {
		if (at < 0x100 || at + 12 > len)
			break;
		header = dword(bytes + at);
		if (header == 0 || header == 0xffffffff)
			break;
		if ((header & 0xffff) == 0x0003) {
			c.has_serial = true;
			c.serial = (uint64_t)dword(bytes + at + 8) << 32 |
				   dword(bytes + at + 4);
			break;
		}
		at = header >> 20 & ~3U;
	}
	*ret = c;
}

int pci_config_read(struct fs *fs, struct pci_address address, bool serial,
		    struct pci_config *ret)
{
	char path[FS_PATH_MAX];
	uint8_t bytes[4096];
	size_t len;
	int r;

	pci_device_path(path, sizeof(path), address, "config");
	r = fs->ops->read(fs, path, FS_ATTRIBUTE, (char *)bytes,
			  serial ? sizeof(bytes) : 64, &len, NULL);
	if (r == -ENOENT) {
		*ret = (struct pci_config){ .alive = true };
		return 0;
	}
	if (r < 0)
		return r;
	pci_config_parse(bytes, len, ret);
	return 0;
}

int pci_power_read(struct fs *fs, struct pci_address address, bool *ret)
{
	char path[FS_PATH_MAX];
	uint8_t bytes[256];
	size_t len, at;
	int r;

	pci_device_path(path, sizeof(path), address, "config");
	r = fs->ops->read(fs, path, FS_ATTRIBUTE, (char *)bytes, sizeof(bytes), &len,
			  NULL);
	if (r < 0)
		return r;
	if (len < sizeof(bytes))
		return -EPERM;
	*ret = false;
	/* the status says whether there is a list; one that loops ends after 48 */
	at = bytes[0x06] & 0x10 ? bytes[0x34] & ~3U : 0;
	for (unsigned hops = 48; at >= 0x40 && hops > 0 && !*ret; hops--) {
		*ret = bytes[at] == 0x01;
		at = bytes[at + 1] & ~3U;
	}
	return 0;
}

bool pci_same_slot(struct pci_address a, struct pci_address b)
{
	return a.domain == b.domain && a.bus == b.bus && a.devfn >> 3 == b.devfn >> 3;
}

bool pci_is_display(const struct pci_ids *ids)
{
	return ids->class >> 16 == 0x03;
}

bool pci_is_3d_controller(const struct pci_ids *ids)
{
	return ids->class >> 8 == 0x0302;
}

bool pci_is_bridge(const struct pci_ids *ids)
{
	return ids->class >> 16 == 0x06;
}
