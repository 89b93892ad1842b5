/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "writer.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void keep(struct writer *w, int result)
{
	w->failed |= result < 0;
}

void writer_init(struct writer *w)
{
	*w = (struct writer){ .buffer = xmlBufferCreate() };
	if (w->buffer)
		w->xml = xmlNewTextWriterMemory(w->buffer, 0);
	w->failed = !w->xml;
	if (w->failed)
		return;
	keep(w, xmlTextWriterSetIndent(w->xml, 1));
	keep(w, xmlTextWriterSetIndentString(w->xml, BAD_CAST "  "));
}

char *writer_finish(struct writer *w)
{
	char *text = NULL;

	if (w->xml)
		keep(w, xmlTextWriterFlush(w->xml));
	if (!w->failed)
		text = strdup((const char *)xmlBufferContent(w->buffer));
	if (w->xml)
		xmlFreeTextWriter(w->xml);
	if (w->buffer)
		xmlBufferFree(w->buffer);
	*w = (struct writer){ 0 };
	return text;
}

void writer_open(struct writer *w, const char *name)
{
	if (!w->failed)
		keep(w, xmlTextWriterStartElement(w->xml, BAD_CAST name));
}

void writer_close(struct writer *w)
{
	if (!w->failed)
		keep(w, xmlTextWriterEndElement(w->xml));
}

void writer_content(struct writer *w, const char *text)
{
	if (!w->failed)
		keep(w, xmlTextWriterWriteString(w->xml, BAD_CAST text));
}

static void attribute(struct writer *w, const char *name, const char *value)
{
	if (!w->failed)
		keep(w,
		     xmlTextWriterWriteAttribute(w->xml, BAD_CAST name, BAD_CAST value));
}

/* On the heap; NULL, and failed: no memory. */
static char *__attribute__((format(printf, 2, 0)))
formatted(struct writer *w, const char *format, va_list args)
{
	char *text;

	if (vasprintf(&text, format, args) >= 0)
		return text;
	w->failed = true;
	return NULL;
}

void writer_attribute(struct writer *w, const char *name, const char *format, ...)
{
	char *value;
	va_list args;

	va_start(args, format);
	value = formatted(w, format, args);
	va_end(args);
	if (value)
		attribute(w, name, value);
	free(value);
}

void writer_text(struct writer *w, const char *name, const char *format, ...)
{
	char *value;
	va_list args;

	va_start(args, format);
	value = formatted(w, format, args);
	va_end(args);
	writer_open(w, name);
	if (value)
		writer_content(w, value);
	writer_close(w);
	free(value);
}

static void attributes(struct writer *w, va_list args)
{
	const char *name, *value;

	while ((name = va_arg(args, const char *))) {
		value = va_arg(args, const char *);
		attribute(w, name, value);
	}
}

void writer_empty(struct writer *w, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	writer_open(w, name);
	attributes(w, args);
	writer_close(w);
	va_end(args);
}

void writer_start(struct writer *w, const char *name, ...)
{
	va_list args;

	va_start(args, name);
	writer_open(w, name);
	attributes(w, args);
	va_end(args);
}

void writer_number(struct writer *w, const char *name, unsigned number, ...)
{
	char text[16];
	va_list args;

	snprintf(text, sizeof(text), "%u", number);
	va_start(args, number);
	writer_open(w, name);
	attributes(w, args);
	writer_content(w, text);
	writer_close(w);
	va_end(args);
}
