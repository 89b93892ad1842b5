/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libvirt's XML as a tree of libxml2: read with mistrust, changed in place with the
 * indentation that is there, written as libvirt writes it. A node may be NULL wherever
 * one is looked at: that one has nothing.
 */
#pragma once

#include <libxml/tree.h>
#include <stdbool.h>
#include <stdint.h>

#include "str.h"

#define TREE_MAX (1024 * 1024) /* bytes; the largest domains have 100 KiB */

/*
 * No DTD, so no entities; no network; UTF-8. NULL with `why`. *ret_prolog is what stands
 * before the root element. The caller calls xmlFreeDoc().
 */
xmlDoc *tree_parse(const char *text, size_t len, size_t *ret_prolog, struct str *why)
	__attribute__((nonnull, warn_unused_result));

/* The root element and a newline; free(). NULL: no memory. */
char *tree_text(xmlDoc *doc) __attribute__((nonnull, warn_unused_result));

/*
 * The first child element of that name, and its next sibling of that name. No namespace
 * but the one with `uri`, if it is not NULL.
 */
xmlNode *tree_first(const xmlNode *parent, const char *name);
xmlNode *tree_next(const xmlNode *node, const char *name);
bool tree_named(const xmlNode *node, const char *uri, const char *name)
	__attribute__((nonnull(3)));
/* The first at each step: "os/loader" */
xmlNode *tree_at(xmlNode *parent, const char *path) __attribute__((nonnull(2)));

/* False with "" if it is not there, or longer. */
bool tree_get(const xmlNode *node, const char *attribute, char *buf, size_t size)
	__attribute__((nonnull(2, 3)));
bool tree_is(const xmlNode *node, const char *attribute, const char *value)
	__attribute__((nonnull(2, 3)));
/* As libvirt reads numbers: 0x1f, 31 */
bool tree_number(const xmlNode *node, const char *attribute, uint64_t *ret)
	__attribute__((nonnull(2, 3)));
/* The text in it, without blanks around it. */
bool tree_content(const xmlNode *node, char *buf, size_t size)
	__attribute__((nonnull(2)));

/* A new element as last child, or in front of `sibling`. NULL: no memory, or no place. */
xmlNode *tree_append(xmlNode *parent, const char *name) __attribute__((nonnull(2)));
xmlNode *tree_insert(xmlNode *sibling, const char *name) __attribute__((nonnull(2)));
/* False: no memory, or no node. */
bool tree_set(xmlNode *node, const char *attribute, const char *value)
	__attribute__((nonnull(2, 3), warn_unused_result));
/* With the blanks before it. */
void tree_remove(xmlNode *node) __attribute__((nonnull));
