/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * PCI functions: their addresses, bus-number-free paths and what sysfs says of them.
 */
#pragma once

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "fs.h"
#include "str.h"

#define PCI_DEVICES "sys/bus/pci/devices"
#define PCI_DRIVERS "sys/bus/pci/drivers"

#define PCI_ADDRESS_LEN 20 /* "ffffffff:ff:1f.7" and more */
#define PCI_DRIVER_LEN 64 /* MODULE_NAME_LEN of linux/module.h */
#define PCI_PATH_DEPTH 16 /* bridges above a function; real trees have up to 8 */
#define PCI_MAX_FUNCTIONS 65536 /* more is a sysfs that lies */

/* DDDD:BB:DD.F. Domains have four hex digits or more (Intel VMD: 10000). */
struct pci_address {
	uint32_t domain;
	uint8_t bus;
	uint8_t devfn; /* device << 3 | function */
};

/*
 * The form of the kernel's pci= parameter
 * (Documentation/admin-guide/kernel-parameters.txt): the function on the root bus, then
 * device and function of each step down.
 */
struct pci_path {
	struct pci_address root;
	uint8_t depth;
	uint8_t devfn[PCI_PATH_DEPTH];
};

struct pci_ids {
	uint16_t vendor, device;
	uint16_t subvendor, subdevice;
	uint32_t class; /* base class, subclass, programming interface: 0x030000 */
};

struct pci_function {
	struct pci_address address;
	bool known; /* uevent could be read; without it, ids and driver say nothing */
	struct pci_ids ids;
	char driver[PCI_DRIVER_LEN]; /* empty: none */
};

/* Sorted by address. */
struct pci_list {
	struct pci_function *functions;
	size_t n;
};

struct pci_config {
	bool present; /* there is a config file; a captured tree may have none */
	bool alive; /* the device answers: vendor is not 0xffff */
	uint8_t header_type; /* 0 is an endpoint; the multifunction bit is masked out */
	bool has_serial;
	uint64_t serial;
};

/* Exactly one address and nothing behind it. */
bool pci_address_parse(const char *text, struct pci_address *ret)
	__attribute__((nonnull, warn_unused_result));
void pci_address_add(struct str *s, struct pci_address address) __attribute__((nonnull));
/* Orders as the addresses do. */
static inline uint64_t pci_address_key(struct pci_address a)
{
	return (uint64_t)a.domain << 16 | (uint64_t)a.bus << 8 | a.devfn;
}
static inline struct pci_address pci_address_of(uint64_t key)
{
	return (struct pci_address){ (uint32_t)(key >> 16), (uint8_t)(key >> 8),
				     (uint8_t)key };
}
int pci_address_compare(struct pci_address a, struct pci_address b);
/* Functions of one device: the same domain, bus and device. */
bool pci_same_slot(struct pci_address a, struct pci_address b);

bool pci_path_parse(const char *text, struct pci_path *ret)
	__attribute__((nonnull, warn_unused_result));
void pci_path_add(struct str *s, const struct pci_path *path) __attribute__((nonnull));
bool pci_path_equal(const struct pci_path *a, const struct pci_path *b)
	__attribute__((nonnull));

/*
 * What sits at `path`. `hint`, if not NULL, is an address where it once sat: looked at
 * first, to save the walk. Returns 0 with *ret set, -ENOENT if nothing does, -ENOTUNIQ if
 * more than one function does (two functions of different buses can hang below one bridge
 * with ARI or SR-IOV), or another negative errno.
 */
int pci_path_resolve(struct fs *fs, const struct pci_path *path,
		     const struct pci_address *hint, struct pci_address *ret)
	__attribute__((nonnull(1, 2, 4), warn_unused_result));

/* The path of a function that exists, from the place of its folder below /sys/devices. */
int pci_path_of(struct fs *fs, struct pci_address address, struct pci_path *ret)
	__attribute__((nonnull, warn_unused_result));

/* "10de:2484": vendor and device, or subsystem vendor and device. */
bool pci_id_parse(const char *text, uint16_t *ret_vendor, uint16_t *ret_device)
	__attribute__((nonnull, warn_unused_result));
/* The same, with more behind it: moves *p there. */
bool pci_id_take(const char **p, uint16_t *ret_vendor, uint16_t *ret_device)
	__attribute__((nonnull, warn_unused_result));

/*
 * 16 hex digits in pairs, most significant first, as lspci prints it:
 * 00-0a-f7-ff-ff-20-16-88
 */
bool pci_serial_parse(const char *text, uint64_t *ret)
	__attribute__((nonnull, warn_unused_result));

/*
 * The keys of the proper addresses among the names in a folder, sorted, in memory that
 * the next call takes. Returns 0 or a negative errno; what was listed until then is there
 * in any case.
 */
int pci_list_addresses(struct fs *fs, const char *path, const uint64_t **ret_keys,
		       size_t *ret_n) __attribute__((nonnull, warn_unused_result));

/*
 * All functions. What vanishes meanwhile or has no proper address is left out; what
 * cannot be read is in the list as not `known`. Returns 0 or a negative errno; a machine
 * without PCI has none. On success the caller calls pci_list_finish().
 */
int pci_scan(struct fs *fs, struct pci_list *ret)
	__attribute__((nonnull, warn_unused_result));
/*
 * One of them, by its address. Returns 0, -EBADMSG if what is there is not `known`, or
 * another negative errno.
 */
int pci_read(struct fs *fs, struct pci_address address, struct pci_function *ret)
	__attribute__((nonnull, warn_unused_result));
void pci_list_finish(struct pci_list *list) __attribute__((nonnull));
const struct pci_function *pci_find(const struct pci_list *list,
				    struct pci_address address)
	__attribute__((nonnull, warn_unused_result));

/*
 * Header type and the Device Serial Number capability (PCIe 6.0, 7.9.3: extended
 * capability 0003h, lower dword first). Only the header is read unless the serial number
 * is asked for: it lies beyond 64 bytes, needs CAP_SYS_ADMIN, and takes a thousand slow
 * reads.
 */
int pci_config_read(struct fs *fs, struct pci_address address, bool serial,
		    struct pci_config *ret) __attribute__((nonnull, warn_unused_result));

/* The same from bytes; for tests and fuzzing. */
void pci_config_parse(const uint8_t *bytes, size_t len, struct pci_config *ret)
	__attribute__((nonnull));

/*
 * Whether it has the Power Management capability (PCI 3.0, 6.7: id 01h), without which it
 * knows no D3hot. Returns 0; -EPERM if capabilities cannot be read (they need
 * CAP_SYS_ADMIN); or another negative errno.
 */
int pci_power_read(struct fs *fs, struct pci_address address, bool *ret)
	__attribute__((nonnull, warn_unused_result));

void pci_device_path_n(char *buf, size_t size, struct pci_address address,
		       const char *leaf, size_t len) __attribute__((nonnull(1)));

/*
 * "PCI_DEVICES/ADDRESS/LEAF"; LEAF may be NULL. Inline: the length of a literal is known
 * when it is compiled.
 */
static inline __attribute__((nonnull(1))) void pci_device_path(char *buf, size_t size,
							       struct pci_address address,
							       const char *leaf)
{
	pci_device_path_n(buf, size, address, leaf, leaf ? strlen(leaf) : 0);
}

/* Base class 03h: VGA (00), XGA (01), 3D (02, hybrid laptops), other (80). */
bool pci_is_display(const struct pci_ids *ids) __attribute__((nonnull));
/* The 02 of them: made to have no outputs of its own. */
bool pci_is_3d_controller(const struct pci_ids *ids) __attribute__((nonnull));
/* Base class 06h: host, ISA, PCI-to-PCI and other bridges. */
bool pci_is_bridge(const struct pci_ids *ids) __attribute__((nonnull));
