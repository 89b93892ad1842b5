/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * libxml2's writer in the few forms that we need. Errors are kept until the end.
 */
#pragma once

#include <libxml/xmlwriter.h>
#include <stdbool.h>

struct writer {
	xmlTextWriterPtr xml;
	xmlBufferPtr buffer;
	bool failed;
};

void writer_init(struct writer *w) __attribute__((nonnull));
/* The text, on the heap; NULL if anything failed. */
char *writer_finish(struct writer *w) __attribute__((nonnull, warn_unused_result));

void writer_open(struct writer *w, const char *name) __attribute__((nonnull));
void writer_close(struct writer *w) __attribute__((nonnull));
/* An attribute of the element that was opened last. */
void writer_attribute(struct writer *w, const char *name, const char *format, ...)
	__attribute__((nonnull, format(printf, 3, 4)));
/* An element with a text. */
void writer_text(struct writer *w, const char *name, const char *format, ...)
	__attribute__((nonnull, format(printf, 3, 4)));
/* The text of the open element. */
void writer_content(struct writer *w, const char *text) __attribute__((nonnull));
/* An element with attributes: name, value… up to a NULL. */
void writer_empty(struct writer *w, const char *name, ...)
	__attribute__((nonnull(1, 2), sentinel));
/* The same, left open. */
void writer_start(struct writer *w, const char *name, ...)
	__attribute__((nonnull(1, 2), sentinel));
/* The same with a number in it, and closed. */
void writer_number(struct writer *w, const char *name, unsigned number, ...)
	__attribute__((nonnull(1, 2), sentinel));
