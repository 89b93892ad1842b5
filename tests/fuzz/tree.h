/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A machine that is made of the fuzzer's input, behind the ops table.
 *
 * The input is a list of entries. Each begins with a line whose first byte says what it
 * is and whose rest is the path; the lines up to the next entry are its content:
 *
 *   @PATH  a file          %PATH  a file, its content in hex digits
 *   >PATH  a link, the content is its target
 *   !PATH  every access fails with the errno that the content is the number of
 *   ~PATH  the next write fails so
 *
 * Folders exist where a path needs them. Links are not followed. What is written is
 * remembered; bind, unbind and driver_override below sys/bus/pci do what the kernel does.
 */
#pragma once

#include "fs.h"
#include "pci.h"

#define TREE_MAX 600

struct tree_entry {
	char kind;
	char *path;
	char *data;
	size_t len;
};

struct tree {
	struct fs fs;
	char *text;
	struct tree_entry entries[TREE_MAX];
	size_t n;
	bool read_only; /* a write is a failed property */
	unsigned writes; /* done */
	unsigned refused; /* writes that failed */
	/* sees each write before it is done; may be NULL */
	void (*watch)(struct tree *tree, const char *path, const char *data, size_t len);
};

struct tree *tree_new(const uint8_t *data, size_t size);
void tree_free(struct tree *tree);

/* The content of a file or a link; NULL if there is none of that kind. */
const struct tree_entry *tree_get(const struct tree *tree, char kind, const char *path);
