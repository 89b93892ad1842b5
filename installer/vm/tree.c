/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "tree.h"

#include <libxml/parser.h>
#include <stdlib.h>

#include "text.h"

#define BLANKS " \t\r\n"
#define INDENT 2 /* libvirt's */

static const xmlChar *xml(const char *text)
{
	return (const xmlChar *)text;
}

/* ---- reading */

/* What precedes the root element; -1 if there is a DTD, or no element. */
static ssize_t prolog_of(const char *text)
{
	const char *p = text, *end;

	for (;;) {
		p += strspn(p, BLANKS);
		if (str_starts(p, "\xef\xbb\xbf"))
			end = p + 2;
		else if (str_starts(p, "<?"))
			end = strstr(p, "?>");
		else if (str_starts(p, "<!--"))
			end = strstr(p, "-->");
		else if (*p != '<' || p[1] == '!')
			return -1;
		else
			return p - text;
		if (!end)
			return -1;
		p = end + (*end == '?' ? 2 : *end == '-' ? 3 : 1);
	}
}

static void say_error(struct str *why)
{
	const xmlError *error = xmlGetLastError();
	char line[256], clean[256];
	struct str s = STR_ON(line);

	str_add(why, _("it is no valid XML"));
	if (!error || !error->message)
		return;
	str_add_n(&s, error->message, strcspn(error->message, "\n"));
	text_clean(clean, sizeof(clean), line);
	str_add(why, _(": line "));
	str_add_uint(why, error->line > 0 ? (unsigned)error->line : 0);
	str_join(why, ": ", clean, NULL);
}

xmlDoc *tree_parse(const char *text, size_t len, size_t *ret_prolog, struct str *why)
{
	ssize_t prolog;
	xmlDoc *doc;

	if (len > TREE_MAX) {
		str_add(why, _("it is larger than any domain"));
		return NULL;
	}
	/*
	 * without this an entity could stand for more than there is memory, and another
	 * encoding could hide it
	 */
	prolog = strlen(text) == len ? prolog_of(text) : -1;
	if (prolog < 0) {
		str_add(why, _("it does not begin as libvirt's XML does"));
		return NULL;
	}
	xmlResetLastError();
	doc = xmlReadMemory(text, (int)len, "domain.xml", "UTF-8",
			    XML_PARSE_NONET | XML_PARSE_NOERROR | XML_PARSE_NOWARNING);
	if (!doc || !xmlDocGetRootElement(doc) || xmlGetIntSubset(doc)) {
		say_error(why);
		xmlFreeDoc(doc);
		return NULL;
	}
	*ret_prolog = (size_t)prolog;
	return doc;
}

bool tree_named(const xmlNode *node, const char *uri, const char *name)
{
	const char *own;

	if (!node || node->type != XML_ELEMENT_NODE)
		return false;
	own = node->ns ? (const char *)node->ns->href : NULL;
	return str_equal((const char *)node->name, name) &&
	       (uri && own ? str_equal(uri, own) : uri == own);
}

static xmlNode *search(xmlNode *node, const char *name)
{
	while (node && !tree_named(node, NULL, name))
		node = node->next;
	return node;
}

xmlNode *tree_first(const xmlNode *parent, const char *name)
{
	return parent ? search(parent->children, name) : NULL;
}

xmlNode *tree_next(const xmlNode *node, const char *name)
{
	return node ? search(node->next, name) : NULL;
}

xmlNode *tree_at(xmlNode *parent, const char *path)
{
	char name[64];

	while (parent && *path) {
		const size_t len = strcspn(path, "/");
		struct str s = STR_ON(name);

		str_add_n(&s, path, len);
		parent = tree_first(parent, name);
		path += len + (path[len] == '/');
	}
	return parent;
}

/* Copies and frees. */
static bool take(xmlChar *value, char *buf, size_t size)
{
	const char *text = (const char *)value;
	size_t len;

	*buf = '\0';
	if (!text)
		return false;
	text += strspn(text, BLANKS);
	len = strlen(text);
	while (len && strchr(BLANKS, text[len - 1]))
		len--;
	if (len < size) {
		memcpy(buf, text, len);
		buf[len] = '\0';
	}
	xmlFree(value);
	return len < size;
}

bool tree_get(const xmlNode *node, const char *attribute, char *buf, size_t size)
{
	return take(node ? xmlGetNoNsProp(node, xml(attribute)) : NULL, buf, size);
}

bool tree_is(const xmlNode *node, const char *attribute, const char *value)
{
	char own[64];

	return tree_get(node, attribute, own, sizeof(own)) && str_equal(own, value);
}

bool tree_number(const xmlNode *node, const char *attribute, uint64_t *ret)
{
	const char *p;
	char text[32];

	if (!tree_get(node, attribute, text, sizeof(text)))
		return false;
	p = text;
	if (str_take_text(&p, "0x"))
		return str_take_hex(&p, 1, 16, ret) && !*p;
	while (*p == '0' && p[1])
		p++;
	return str_take_uint(&p, INT64_MAX, ret) && !*p;
}

bool tree_content(const xmlNode *node, char *buf, size_t size)
{
	return take(node ? xmlNodeGetContent(node) : NULL, buf, size);
}

/* ---- changing */

static bool is_blank(const xmlNode *node)
{
	return node && node->type == XML_TEXT_NODE && xmlIsBlankNode(node);
}

static unsigned depth_of(const xmlNode *node)
{
	unsigned depth = 0;

	while (node->parent && node->parent->type == XML_ELEMENT_NODE) {
		node = node->parent;
		depth++;
	}
	return depth;
}

/* A line's end and the blanks of the next line. */
static xmlNode *indent(unsigned depth)
{
	char text[1 + INDENT * 256];
	struct str s = STR_ON(text);

	str_add_char(&s, '\n');
	while (depth--)
		str_add(&s, "  ");
	return xmlNewText(xml(text));
}

static bool put(xmlNode *parent, xmlNode *before, xmlNode *node)
{
	if (node && before ? xmlAddPrevSibling(before, node) != NULL
			   : xmlAddChild(parent, node) != NULL)
		return true;
	xmlFreeNode(node);
	return false;
}

xmlNode *tree_append(xmlNode *parent, const char *name)
{
	xmlNode *node, *last;

	if (!parent)
		return NULL;
	last = parent->last;
	/* the blanks before the closing tag stay there */
	if (!is_blank(last)) {
		if (!put(parent, NULL, indent(depth_of(parent))))
			return NULL;
		last = parent->last;
	}
	node = xmlNewDocNode(parent->doc, NULL, xml(name), NULL);
	if (!node || !put(parent, last, node))
		return NULL;
	return put(parent, node, indent(depth_of(node))) ? node : NULL;
}

xmlNode *tree_insert(xmlNode *sibling, const char *name)
{
	xmlNode *node;

	if (!sibling)
		return NULL;
	node = xmlNewDocNode(sibling->doc, NULL, xml(name), NULL);
	if (!node || !put(sibling->parent, sibling, node))
		return NULL;
	return put(sibling->parent, sibling, indent(depth_of(sibling))) ? node : NULL;
}

bool tree_set(xmlNode *node, const char *attribute, const char *value)
{
	return node && xmlSetProp(node, xml(attribute), xml(value));
}

static void drop(xmlNode *node)
{
	xmlUnlinkNode(node);
	xmlFreeNode(node);
}

void tree_remove(xmlNode *node)
{
	xmlNode *parent = node->parent;

	if (is_blank(node->prev))
		drop(node->prev);
	drop(node);
	/* nothing but the blanks before the closing tag */
	if (parent && is_blank(parent->children) && !parent->children->next)
		drop(parent->children);
}

/* ---- writing */

/* Behind the end of what begins at `p`, or the end of the text. */
static char *skip(char *p, const char *end)
{
	char *found = strstr(p, end);

	return found ? found + strlen(end) : p + strlen(p);
}

static char *requote_tag(char *p)
{
	const size_t len = strcspn(p + 1, " \t\n/>");
	const bool foreign = memchr(p + 1, ':', len) && !str_starts(p, "<qemu:");
	char *end;

	for (p += 1 + len; *p && *p != '>'; p++) {
		if (*p != '"' && *p != '\'')
			continue;
		end = strchr(p + 1, *p);
		if (!end)
			break;
		if (*p == '"' && !foreign && !memchr(p, '\'', (size_t)(end - p)))
			*p = *end = '\'';
		p = end;
	}
	return p;
}

/*
 * libvirt writes attributes in single quotes, except other people's metadata, which
 * libxml2 writes for it in double ones; a diff shall show what changed.
 */
static void requote(char *text)
{
	char *p = text;

	while ((p = strchr(p, '<'))) {
		if (str_starts(p, "<!--"))
			p = skip(p, "-->");
		else if (str_starts(p, "<![CDATA["))
			p = skip(p, "]]>");
		else if (str_starts(p, "<?"))
			p = skip(p, "?>");
		else
			p = requote_tag(p);
	}
}

char *tree_text(xmlDoc *doc)
{
	xmlBuffer *buffer = xmlBufferCreate();
	char *text = NULL;

	if (buffer && xmlNodeDump(buffer, doc, xmlDocGetRootElement(doc), 0, 0) >= 0 &&
	    xmlBufferCat(buffer, xml("\n")) == 0)
		text = strdup((const char *)xmlBufferContent(buffer));
	xmlBufferFree(buffer);
	if (text)
		requote(text);
	return text;
}
