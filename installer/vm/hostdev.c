/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hostdev.h"

#include <errno.h>

#define BUSES 256
#define FIRST_SLOT 3 /* of an i440fx: host bridge, PIIX, and the video card's */
#define SLOTS 32

/* ---- addresses */

static bool read_address(const xmlNode *node, struct pci_address *ret)
{
	uint64_t domain = 0, bus = 0, slot, function;

	(void)tree_number(node, "domain", &domain);
	(void)tree_number(node, "bus", &bus);
	if (!tree_number(node, "slot", &slot) ||
	    !tree_number(node, "function", &function) || domain > UINT32_MAX ||
	    bus > 255 || slot > 31 || function > 7)
		return false;
	*ret = (struct pci_address){ .domain = (uint32_t)domain,
				     .bus = (uint8_t)bus,
				     .devfn = (uint8_t)(slot << 3 | function) };
	return true;
}

static bool set_hex(xmlNode *node, const char *name, uint32_t value, unsigned digits)
{
	char text[16];
	struct str s = STR_ON(text);

	str_add(&s, "0x");
	str_add_hex(&s, value, digits);
	return tree_set(node, name, text);
}

static bool write_address(xmlNode *node, struct pci_address address)
{
	return set_hex(node, "domain", address.domain, 4) &&
	       set_hex(node, "bus", address.bus, 2) &&
	       set_hex(node, "slot", address.devfn >> 3, 2) &&
	       set_hex(node, "function", address.devfn & 7, 1);
}

static bool guest_address(const xmlNode *device, struct pci_address *ret)
{
	const xmlNode *address = tree_first(device, "address");

	return tree_is(address, "type", "pci") && read_address(address, ret);
}

/* ---- what is there */

size_t hostdev_list(xmlNode *domain, struct hostdev *ret)
{
	xmlNode *node = tree_first(tree_first(domain, "devices"), "hostdev");
	size_t n = 0;

	for (; node && n < HOSTDEV_MAX; node = tree_next(node, "hostdev")) {
		struct hostdev h = { .node = node };

		if (!tree_is(node, "type", "pci") ||
		    !read_address(tree_at(node, "source/address"), &h.source))
			continue;
		h.placed = guest_address(node, &h.guest);
		ret[n++] = h;
	}
	return n;
}

const struct hostdev *hostdev_find(const struct hostdev *list, size_t n,
				   struct pci_address source)
{
	for (size_t i = 0; i < n; i++)
		if (!pci_address_compare(list[i].source, source))
			return &list[i];
	return NULL;
}

static xmlNode *first_bridge(xmlNode *domain)
{
	xmlNode *node = tree_first(tree_first(domain, "devices"), "controller");

	while (node && !tree_is(node, "type", "pci"))
		node = tree_next(node, "controller");
	return node;
}

static xmlNode *next_bridge(xmlNode *node)
{
	do
		node = tree_next(node, "controller");
	while (node && !tree_is(node, "type", "pci"));
	return node;
}

bool hostdev_express(xmlNode *domain)
{
	char machine[128];

	for (xmlNode *c = first_bridge(domain); c; c = next_bridge(c)) {
		if (tree_is(c, "model", "pcie-root"))
			return true;
		if (tree_is(c, "model", "pci-root"))
			return false;
	}
	return tree_get(tree_at(domain, "os/type"), "machine", machine,
			sizeof(machine)) &&
	       strstr(machine, "q35");
}

/* ---- places */

/* In libvirt's order: behind the last of its kind, or in front of what comes then. */
static xmlNode *make_device(xmlNode *domain, const char *name)
{
	static const char *const behind[] = { "redirdev", "redirfilter", "hub",
					      "watchdog", "memballoon",	 "rng",
					      "panic",	  "shmem",	 "memory",
					      "iommu",	  "vsock" };
	xmlNode *devices = tree_first(domain, "devices"), *last = NULL, *next = NULL;

	for (xmlNode *n = tree_first(devices, name); n; n = tree_next(n, name))
		last = n;
	if (last) {
		next = xmlNextElementSibling(last);
	} else {
		for (xmlNode *n = xmlFirstElementChild(devices); n && !next;
		     n = xmlNextElementSibling(n))
			for (size_t i = 0; i < ARRAY_SIZE(behind); i++)
				if (tree_named(n, NULL, behind[i]))
					next = n;
	}
	return next ? tree_insert(next, name) : tree_append(devices, name);
}

static int new_port(xmlNode *domain, struct pci_address *ret)
{
	uint64_t index, highest = 0;
	char text[16];
	struct str s = STR_ON(text);
	xmlNode *port;

	for (xmlNode *c = first_bridge(domain); c; c = next_bridge(c))
		if (tree_number(c, "index", &index) && index > highest)
			highest = index;
	if (highest + 1 >= BUSES)
		return -ENOSPC;
	str_add_uint(&s, highest + 1);
	port = make_device(domain, "controller");
	if (!tree_set(port, "type", "pci") || !tree_set(port, "index", text) ||
	    !tree_set(port, "model", "pcie-root-port"))
		return -ENOMEM;
	*ret = (struct pci_address){ .bus = (uint8_t)(highest + 1) };
	return 0;
}

static int free_slot(xmlNode *domain, struct pci_address *ret)
{
	xmlNode *n = xmlFirstElementChild(tree_first(domain, "devices"));
	bool used[SLOTS] = { false };
	struct pci_address a;

	for (; n; n = xmlNextElementSibling(n))
		if (guest_address(n, &a) && !a.domain && !a.bus)
			used[a.devfn >> 3] = true;
	for (unsigned i = FIRST_SLOT; i < SLOTS; i++)
		if (!used[i]) {
			*ret = (struct pci_address){ .devfn = (uint8_t)(i << 3) };
			return 0;
		}
	return -ENOSPC;
}

int hostdev_new_slot(xmlNode *domain, struct pci_address *ret)
{
	return hostdev_express(domain) ? new_port(domain, ret) : free_slot(domain, ret);
}

/* ---- changes */

xmlNode *hostdev_add(xmlNode *domain, struct pci_address source, struct pci_address slot,
		     unsigned number, bool several)
{
	xmlNode *node = make_device(domain, "hostdev"), *driver, *from, *to;
	struct pci_address guest = slot;

	guest.devfn |= number;
	driver = tree_append(node, "driver");
	from = tree_append(tree_append(node, "source"), "address");
	to = tree_append(node, "address");
	if (tree_set(node, "mode", "subsystem") && tree_set(node, "type", "pci") &&
	    tree_set(node, "managed", "no") && tree_set(driver, "name", "vfio") && from &&
	    write_address(from, source) && tree_set(to, "type", "pci") &&
	    write_address(to, guest) &&
	    (number || !several || tree_set(to, "multifunction", "on")))
		return node;
	return NULL;
}

bool hostdev_set_source(xmlNode *node, struct pci_address source)
{
	xmlNode *address = tree_at(node, "source/address");

	return address && write_address(address, source);
}

xmlNode *hostdev_guest_at(xmlNode *domain, struct pci_address guest)
{
	xmlNode *n = xmlFirstElementChild(tree_first(domain, "devices"));
	struct pci_address a;

	for (; n; n = xmlNextElementSibling(n))
		if (guest_address(n, &a) && !pci_address_compare(a, guest))
			return tree_first(n, "address");
	return NULL;
}

static bool is_used(xmlNode *domain, uint64_t bus)
{
	xmlNode *n = xmlFirstElementChild(tree_first(domain, "devices"));
	struct pci_address a;

	for (; n; n = xmlNextElementSibling(n))
		if (guest_address(n, &a) && !a.domain && a.bus == bus)
			return true;
	return false;
}

/* The root port with the highest index, if that is empty and one of those in `left`. */
static xmlNode *empty_port(xmlNode *domain, const bool *left)
{
	uint64_t index, highest = 0;
	xmlNode *last = NULL;

	for (xmlNode *c = first_bridge(domain); c; c = next_bridge(c))
		if (tree_number(c, "index", &index) && index >= highest) {
			last = c;
			highest = index;
		}
	if (!last || highest >= BUSES || !left[highest] || is_used(domain, highest) ||
	    !tree_is(last, "model", "pcie-root-port"))
		return NULL;
	return last;
}

/* A port with others behind it stays: libvirt would fill the gap with a new one. */
void hostdev_remove(xmlNode *domain, const struct hostdev *list, size_t n)
{
	bool left[BUSES] = { false };
	xmlNode *port;

	for (size_t i = 0; i < n; i++) {
		if (list[i].placed && !list[i].guest.domain)
			left[list[i].guest.bus] = true;
		tree_remove(list[i].node);
	}
	while ((port = empty_port(domain, left)))
		tree_remove(port);
}
