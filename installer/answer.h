/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * The last word of a command: a sentence, or a JSON object with outcome and detail.
 */
#pragma once

#include "command.h"

struct json_object;

/* Returns `status`. A sentence goes to stdout if that is EXIT_DONE, else to stderr. */
int answer(const struct context *context, const char *outcome, const char *detail,
	   int status) __attribute__((nonnull));

/* The same with the members of an object, which it frees; NULL: none. */
int answer_with(const struct context *context, const char *outcome, const char *detail,
		struct json_object *members, int status)
	__attribute__((nonnull(1, 2, 3)));

/*
 * Whether a command that changes hands may begin: it names one claim, and root runs it or
 * nothing is changed. If not it has answered, with the exit status in `ret`.
 */
bool answer_one_claim(const struct context *context, int *ret)
	__attribute__((nonnull, warn_unused_result));
