/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "metadata.h"

/* ---- reading */

static bool is_ours(const xmlNode *node, const char *name)
{
	return tree_named(node, METADATA_URI, name);
}

static xmlNode *claims_of(xmlNode *domain)
{
	xmlNode *metadata = tree_first(domain, "metadata");
	xmlNode *node = metadata ? metadata->children : NULL;

	while (node && !is_ours(node, METADATA_CLAIMS))
		node = node->next;
	return node;
}

static bool read_function(const xmlNode *node, struct metadata_function *ret)
{
	char text[FS_PATH_MAX];

	return is_ours(node, METADATA_FUNCTION) &&
	       tree_get(node, METADATA_PATH, text, sizeof(text)) &&
	       pci_path_parse(text, &ret->path) &&
	       tree_get(node, METADATA_ADDRESS, text, sizeof(text)) &&
	       pci_address_parse(text, &ret->address);
}

static bool read_claim(const xmlNode *node, struct metadata_claim *ret)
{
	*ret = (struct metadata_claim){ 0 };
	if (!is_ours(node, METADATA_CLAIM) ||
	    !tree_get(node, METADATA_NAME, ret->name, sizeof(ret->name)) ||
	    !conf_name_ok(ret->name))
		return false;
	for (const xmlNode *n = node->children; n && ret->n < CLAIMED_MAX; n = n->next)
		ret->n += read_function(n, &ret->functions[ret->n]);
	return true;
}

size_t metadata_read(xmlNode *domain, struct metadata_claim *ret)
{
	const xmlNode *claims = claims_of(domain), *node;
	size_t n = 0;

	for (node = claims ? claims->children : NULL; node && n < METADATA_MAX_CLAIMS;
	     node = node->next)
		n += read_claim(node, &ret[n]);
	return n;
}

/* ---- writing */

static xmlNode *make_claims(xmlNode *domain)
{
	static const char *const above[] = { "description", "title", "genid", "uuid",
					     "name" };
	xmlNode *metadata = tree_first(domain, "metadata"), *claims;
	xmlNode *before = NULL;

	for (size_t i = 0; !metadata && !before && i < ARRAY_SIZE(above); i++)
		before = tree_first(domain, above[i]);
	if (!metadata) {
		/* where libvirt has it */
		while (before && (before = before->next) &&
		       before->type != XML_ELEMENT_NODE)
			;
		metadata = before ? tree_insert(before, "metadata")
				  : tree_append(domain, "metadata");
	}
	claims = tree_append(metadata, METADATA_CLAIMS);
	if (!claims)
		return NULL;
	claims->ns = xmlNewNs(claims, (const xmlChar *)METADATA_URI,
			      (const xmlChar *)METADATA_PREFIX);
	return claims->ns ? claims : NULL;
}

static xmlNode *find_claim(xmlNode *claims, const char *name)
{
	xmlNode *node = claims ? claims->children : NULL;

	while (node &&
	       !(is_ours(node, METADATA_CLAIM) && tree_is(node, METADATA_NAME, name)))
		node = node->next;
	return node;
}

static struct pci_address address_of(const struct claimed_function *f,
				     const struct metadata_claim *old)
{
	if (claimed_found(f))
		return f->function.address;
	for (size_t i = 0; i < old->n; i++)
		if (pci_path_equal(&old->functions[i].path, &f->conf->identity.path))
			return old->functions[i].address;
	return f->conf->address;
}

static bool write_function(xmlNode *claim, const struct claimed_function *f,
			   const struct metadata_claim *old)
{
	char path[FS_PATH_MAX], address[PCI_ADDRESS_LEN];
	struct str p = STR_ON(path), a = STR_ON(address);
	xmlNode *node = tree_append(claim, METADATA_FUNCTION);

	if (!node)
		return false;
	node->ns = claim->ns;
	pci_path_add(&p, &f->conf->identity.path);
	pci_address_add(&a, address_of(f, old));
	return tree_set(node, METADATA_PATH, path) &&
	       tree_set(node, METADATA_ADDRESS, address);
}

bool metadata_write(xmlNode *domain, const struct claimed *claimed)
{
	struct metadata_claim old = { 0 };
	xmlNode *claims = claims_of(domain), *node;

	if (!claims)
		claims = make_claims(domain);
	node = find_claim(claims, claimed->conf->name);
	if (node) {
		(void)read_claim(node, &old);
		while (node->children) {
			xmlNode *child = node->children;

			xmlUnlinkNode(child);
			xmlFreeNode(child);
		}
	} else {
		node = tree_append(claims, METADATA_CLAIM);
		if (!node || !tree_set(node, METADATA_NAME, claimed->conf->name))
			return false;
		node->ns = claims->ns;
	}
	for (size_t i = 0; i < claimed->n; i++)
		if (!write_function(node, &claimed->functions[i], &old))
			return false;
	return true;
}

void metadata_forget(xmlNode *domain, const char *claim, struct pci_address address)
{
	xmlNode *node = find_claim(claims_of(domain), claim), *next;
	struct metadata_function f;

	for (node = node ? node->children : NULL; node; node = next) {
		next = node->next;
		if (read_function(node, &f) && !pci_address_compare(f.address, address))
			tree_remove(node);
	}
}

void metadata_remove(xmlNode *domain, const char *claim)
{
	xmlNode *claims = claims_of(domain), *node = find_claim(claims, claim), *metadata;

	if (!node)
		return;
	tree_remove(node);
	if (xmlChildElementCount(claims))
		return;
	metadata = claims->parent;
	tree_remove(claims);
	if (!metadata->children)
		tree_remove(metadata);
}
