/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What the fake machine's files say. */
#pragma once

#include "fake.h"

#define DEVICES PCI_DEVICES "/"
#define GROUPS "sys/kernel/iommu_groups/"

struct fake_text {
	char buf[8192];
	const char *data; /* buf, or a longer one */
	size_t len;
};

/* "0000:01:00.0/leaf": the function's index or -1, and the leaf, NULL where there is none. */
int fake_split(const struct fake *f, const char *rest, const char **ret_leaf);

/* 0 or a negative errno. */
int fake_content(struct fake *f, const char *path, struct fake_text *t);
