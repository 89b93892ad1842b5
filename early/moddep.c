/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "moddep.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

/* kmod, libkmod/libkmod-index.c */
#define MAGIC 0xb007f457
#define MAJOR 2
/* of an offset: what its node has */
#define HAS_PREFIX 0x80000000
#define HAS_VALUES 0x40000000
#define HAS_CHILDREN 0x20000000
#define OFFSET 0x0fffffff

/* What lies behind the end reads as 0, and is remembered. */
struct cursor {
	const uint8_t *data;
	size_t len, at;
	bool short_of;
};

static uint8_t take_byte(struct cursor *c)
{
	if (c->at >= c->len) {
		c->short_of = true;
		return 0;
	}
	return c->data[c->at++];
}

static uint32_t take_number(struct cursor *c)
{
	uint32_t v = 0;

	for (unsigned i = 0; i < 4; i++)
		v = v << 8 | take_byte(c);
	return v;
}

static const char *take_text(struct cursor *c)
{
	const char *text = (const char *)c->data + c->at;
	const char *end = c->at < c->len ? memchr(text, '\0', c->len - c->at) : NULL;

	if (!end) {
		c->short_of = true;
		return "";
	}
	c->at += (size_t)(end - text) + 1;
	return text;
}

/* Reads a node; the name and the offset move on to its child. 1: there it is. */
static int step(struct cursor *c, const char **name, uint32_t *offset, const char **ret)
{
	const char *prefix = "";
	uint8_t first = 1, last = 0, child;
	size_t children;

	c->at = *offset & OFFSET;
	if (!c->at)
		return -ENOENT;
	if (*offset & HAS_PREFIX)
		prefix = take_text(c);
	if (strncmp(*name, prefix, strlen(prefix)) != 0)
		return -ENOENT;
	*name += strlen(prefix);
	if (*offset & HAS_CHILDREN) {
		first = take_byte(c);
		last = take_byte(c);
	}
	children = c->at;
	if (first <= last)
		c->at += 4U * (last - first + 1U);
	if (!**name) {
		if (!(*offset & HAS_VALUES) || !take_number(c))
			return -ENOENT;
		(void)take_number(c); /* the priority of the first value */
		*ret = take_text(c);
		return 1;
	}
	child = (uint8_t)(*name)[0];
	(*name)++;
	if (child < first || child > last)
		return -ENOENT;
	c->at = children + 4U * (child - first);
	*offset = take_number(c);
	return 0;
}

/* Each step takes a character of the name: even a lie comes to its end. */
int moddep_find(const void *data, size_t len, const char *name, const char **ret_line)
{
	struct cursor c = { .data = data, .len = len };
	const char *line = NULL;
	uint32_t offset;
	int r = 0;

	if (take_number(&c) != MAGIC || take_number(&c) >> 16 != MAJOR)
		return -EPROTO;
	offset = take_number(&c);
	while (r == 0 && !c.short_of)
		r = step(&c, &name, &offset, &line);
	if (c.short_of)
		return -EPROTO;
	if (r > 0)
		*ret_line = line;
	return r > 0 ? 0 : r;
}
