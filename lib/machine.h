/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The facts that a plan is made of, read once. Nothing is judged here.
 */
#pragma once

#include "conf.h"
#include "framebuffer.h"
#include "identity.h"
#include "iommu.h"
#include "pci.h"

#define MACHINE_RELEASE_LEN 65 /* utsname */

/* A function of the configuration as it is found now. */
struct machine_function {
	const struct conf_function *conf;
	struct identity_result found;
	/* valid if found is exact or moved: */
	char override[PCI_DRIVER_LEN];
	int override_error; /* negative errno: not known whether there is one */
	bool virtual_functions; /* SR-IOV is on: vfio-pci would refuse it */
	int group; /* index into groups */
	struct framebuffer framebuffer;
	int framebuffer_error; /* negative errno: not known whether there is one */
};

struct machine {
	char release[MACHINE_RELEASE_LEN]; /* of the kernel */
	struct pci_list list;
	bool iommu_present;
	bool iommu_unsafe;
	const char *iommu_hint; /* static; why there is none */
	/* the kernel has modules, so what has no driver may get one */
	bool drivers_may_come;
	unsigned n_functions; /* one for each of the configuration, in its order */
	struct machine_function functions[CONF_MAX_FUNCTIONS];
	struct iommu_group groups[CONF_MAX_FUNCTIONS]; /* of those found, each once */
	unsigned n_groups;
};

/* Of the running kernel; below a captured root, of that machine's where it is known. */
void machine_release(struct fs *fs, char ret[static MACHINE_RELEASE_LEN])
	__attribute__((nonnull));

/* Whether that kernel has modules, so that what has no driver may get one. */
bool machine_has_modules(struct fs *fs, const char *release) __attribute__((nonnull));

/*
 * Reads the machine; 200 KiB, too much for most stacks. `conf` must outlive it. For
 * functions that no claim names one file each is read. Returns 0 or a negative errno; on
 * success the caller calls machine_finish().
 */
int machine_inspect(struct fs *fs, const struct conf *conf, const char *release,
		    struct machine *ret) __attribute__((nonnull, warn_unused_result));
void machine_finish(struct machine *machine) __attribute__((nonnull));

/* Exact or moved: the only matches that are ever claimed. */
bool machine_function_found(const struct machine_function *f) __attribute__((nonnull));
