/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The machine that guests run on: processors with their caches and NUMA nodes, memory,
 * and what is installed.
 */
#pragma once

#include <stdint.h>

#include "fs.h"

#define HOST_MAX_CPUS 1024
#define HOST_MAX_PAGE_SIZES 4

struct host_cpu {
	unsigned id;
	unsigned package, core; /* numbers of the kernel's */
	unsigned cache; /* the lowest processor with which it shares the last cache */
	unsigned node;
	bool efficiency; /* of a hybrid processor's small cores */
};

struct host_pages {
	unsigned size; /* KiB */
	unsigned total, free;
};

struct host {
	struct host_cpu cpus[HOST_MAX_CPUS]; /* those online, sorted by id */
	size_t n_cpus; /* 0: not known */
	bool amd, intel;
	/* how far addresses reach, in bits, 0: not known; of several IOMMUs the least */
	unsigned address_bits, iommu_bits;
	unsigned n_nodes;
	unsigned memory; /* MiB, 0: not known */
	struct host_pages pages[HOST_MAX_PAGE_SIZES]; /* largest first */
	size_t n_pages;
	/* KiB, of huge pages where no size is named; 0: not known */
	unsigned default_page;
	bool kvm; /* /dev/kvm is there */
	const char *emulator; /* NULL: QEMU is not installed; static, without the '/' */
	bool swtpm, libvirt;
	bool libvirt_limits; /* it knows <maxphysaddr limit=''> (9.3) */
	bool default_network, network_runs; /* libvirt's "default" */
	char machine_id[64]; /* empty: none */
};

/* What cannot be read is not known. Large. */
void host_read(struct fs *root, struct host *ret) __attribute__((nonnull));

/* The node of a function's slot, -1: none. */
int host_node_of(struct fs *root, const char *address) __attribute__((nonnull));

/*
 * Whether the processor has addresses that the IOMMU does not: what a guest has there no
 * card can reach. A processor that does not tell may have some.
 */
bool host_outreaches_iommu(const struct host *host) __attribute__((nonnull));

/* The largest window into a function's memory, in bytes; 0: none, or not known. */
uint64_t host_largest_bar(struct fs *root, const char *address) __attribute__((nonnull));

/* Walks over a list of the kernel's, "0-3,8": false at the end. */
bool host_list_next(const char **p, unsigned *ret_first, unsigned *ret_last)
	__attribute__((nonnull, warn_unused_result));
