/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * What a check found, on a terminal: a word, what it is about, what was seen, and the
 * mend; and as JSON.
 */
#pragma once

#include <json-c/json.h>
#include <stdarg.h>

#include "text.h"

struct finding_text {
	const char *word; /* "problem" */
	enum text_style style;
	bool plain; /* nothing to look at: the title is not bold */
	const char *title, *detail;
	const char *mend; /* NULL: none */
};

/* Wrapped to the terminal's width, or 80 columns. */
void finding_print(FILE *out, bool colour, const struct finding_text *finding)
	__attribute__((nonnull));

/* A text of at most 2 KiB on the heap, without control characters. NULL: no memory. */
char *finding_format(const char *format, va_list arguments)
	__attribute__((nonnull, format(printf, 1, 0), warn_unused_result));

/* Takes `value`. False: no memory, for it or for this. */
bool finding_put(json_object *object, const char *key, json_object *value)
	__attribute__((nonnull(1, 2), warn_unused_result));

/* Prints and releases `all`, unless it could not be built. Returns 0 or -ENOMEM. */
int finding_print_json(FILE *out, json_object *all, bool built)
	__attribute__((nonnull(1), warn_unused_result));
