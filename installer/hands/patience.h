/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changing hands at once, or as soon as nobody holds the functions any more.
 */
#pragma once

#include "command.h"
#include "handover.h"

struct patience {
	bool when_free;
	unsigned timeout_s; /* 0: for ever */
};

#define PATIENCE_OPTIONS                                \
	{ "when-free", no_argument, NULL, 'f' },        \
	{                                               \
		"timeout", required_argument, NULL, 'T' \
	}
/* False if it is none of these options, or its value is wrong. */
bool patience_option(struct patience *patience, int letter, const char *value)
	__attribute__((nonnull(1), warn_unused_result));

/*
 * Calls `change` for the claim that the command names, as often as it takes. What a
 * signal asks for is done while it waits, never in the middle of a change.
 */
enum handover patience_run(struct context *context, const struct patience *patience,
			   handover_fn *change, struct holders *holders, struct str *what)
	__attribute__((nonnull, warn_unused_result));
