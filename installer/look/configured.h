/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Which claim of /etc/vfio-claim.conf a function of this machine is in.
 */
#pragma once

#include "conf.h"

struct configured {
	struct configured_function {
		struct pci_address address;
		enum match match;
		const struct conf_claim *claim; /* static */
	} functions[CONF_MAX_FUNCTIONS];
	size_t n;
};

/*
 * Finds what is there of each claim. Nothing is in it where there is no configuration, or
 * none that can be used, which `why` says.
 */
void configured_read(struct fs *root, const struct pci_list *all, struct configured *ret,
		     struct str *why) __attribute__((nonnull));

/* NULL: no claim has it. */
const struct conf_claim *configured_claim(const struct configured *configured,
					  struct pci_address address)
	__attribute__((nonnull, warn_unused_result));
