/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a domain's metadata says of the claims that it uses:
 *
 *   <metadata>
 *     <vfio-claim:claims xmlns:vfio-claim="https://vfio-claim.dev/xmlns/domain/1">
 *       <vfio-claim:claim name="gaming">
 *         <vfio-claim:function path="0000:00:01.0/00.0" address="0000:01:00.0"/>
 *
 * One element around all claims: of several with the same namespace libvirt keeps the
 * first and drops the others (virXMLNodeSanitizeNamespaces()).
 */
#pragma once

#include "claimed.h"
#include "tree.h"

#define METADATA_URI "https://vfio-claim.dev/xmlns/domain/1"
#define METADATA_PREFIX "vfio-claim"
#define METADATA_CLAIMS "claims"
#define METADATA_CLAIM "claim"
#define METADATA_NAME "name"
#define METADATA_FUNCTION "function"
#define METADATA_PATH "path" /* that of the configuration */
#define METADATA_ADDRESS "address" /* where it was when it was attached */

#define METADATA_MAX_CLAIMS 8

struct metadata_function {
	struct pci_path path;
	struct pci_address address;
};

struct metadata_claim {
	char name[CONF_NAME_LEN];
	struct metadata_function functions[CLAIMED_MAX];
	size_t n;
};

/*
 * How many there are of `domain`, at most METADATA_MAX_CLAIMS. What is not as we write it
 * is left out.
 */
size_t metadata_read(xmlNode *domain, struct metadata_claim *ret)
	__attribute__((nonnull));

/*
 * Writes one claim, in place of what it says of that name. Functions that are not found
 * keep the address that it has, or get the configuration's. False: no memory.
 */
bool metadata_write(xmlNode *domain, const struct claimed *claimed)
	__attribute__((nonnull, warn_unused_result));

/* Of a claim, the function that was attached at this address. Fine if there is none. */
void metadata_forget(xmlNode *domain, const char *claim, struct pci_address address)
	__attribute__((nonnull));
/* Fine if there is none. */
void metadata_remove(xmlNode *domain, const char *claim) __attribute__((nonnull));
