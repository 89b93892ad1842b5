/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What judging cards needs of the machine, read once: which functions are unique, groups
 * on demand.
 */
#pragma once

#include "displays.h"
#include "iommu.h"
#include "needed.h"
#include "names.h"
#include "pci.h"

struct survey {
	struct fs *root;
	const struct pci_list *all;
	bool *unique; /* one for each of all */
	int *group_of; /* one for each of all: index into groups, -1: not read */
	struct iommu_group *groups;
	size_t n_groups, room;
	struct names *names;
	struct displays displays;
	struct needed needed;
	unsigned host_displays; /* that the host can show something on */
	bool iommu, unsafe;
	bool modules; /* what has no driver may get one */
};

/* Returns 0 or a negative errno; on success the caller calls survey_finish(). */
int survey_init(struct survey *survey, struct fs *root, const struct pci_list *all)
	__attribute__((nonnull, warn_unused_result));
/* Names, twins and groups alone. */
int survey_init_names(struct survey *survey, struct fs *root, const struct pci_list *all)
	__attribute__((nonnull, warn_unused_result));
void survey_finish(struct survey *survey) __attribute__((nonnull));

/* The group of a function of `all`; valid until the next call. NULL: no memory. */
const struct iommu_group *survey_group(struct survey *survey,
				       const struct pci_function *function)
	__attribute__((nonnull, warn_unused_result));
