/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "qemu_words.h"

static const xmlNode *find(const xmlNode *node, const char *name)
{
	while (node && !tree_named(node, QEMU_URI, name))
		node = node->next;
	return node;
}

const xmlNode *qemu_words_next(const xmlNode *domain, const xmlNode *last, char *buf,
			       size_t size)
{
	const xmlNode *line = last ? last->parent : find(domain->children, "commandline");
	const xmlNode *word = last ? find(last->next, "arg") : NULL;

	if (line && !last)
		word = find(line->children, "arg");
	while (!word && line) {
		line = find(line->next, "commandline");
		word = line ? find(line->children, "arg") : NULL;
	}
	if (word)
		(void)!tree_get(word, "value", buf, size);
	return word;
}

static bool add(xmlNode *line, const char *value)
{
	xmlNode *word = tree_append(line, "arg");

	if (!word)
		return false;
	word->ns = line->ns;
	return tree_set(word, "value", value);
}

static xmlNode *add_line(xmlNode *domain)
{
	const xmlChar *uri = (const xmlChar *)QEMU_URI;
	xmlNs *ns = xmlSearchNsByHref(domain->doc, domain, uri);
	xmlNode *line = tree_append(domain, "commandline");

	if (!ns)
		ns = xmlNewNs(domain, uri, (const xmlChar *)"qemu");
	if (!line || !ns)
		return NULL;
	line->ns = ns;
	return line;
}

bool qemu_words_add(xmlNode *domain, const char *option, const char *value)
{
	xmlNode *line = (xmlNode *)find(domain->children, "commandline");

	if (!line)
		line = add_line(domain);
	return line && add(line, option) && add(line, value);
}
