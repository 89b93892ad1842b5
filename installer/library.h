/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Libraries that few commands need. They are loaded when the first of those does, so that
 * every other command, in hooks and services above all, starts without them and without
 * what they bring. Headers are as ever; a call is sym_NAME() instead of NAME().
 */
#pragma once

#include "str.h"

enum library {
	LIBRARY_ARCHIVE,
	LIBRARY_KMOD,
	LIBRARY_NETTLE,
	LIBRARY_PCI,
	LIBRARY_COUNT,
};

struct library_call {
	const char *name;
	void *at; /* the pointer to it */
};

/*
 * Declares sym_NAME for every call of a list, and a table of them:
 *
 *	#define CALLS(CALL) CALL(kmod_new) CALL(kmod_unref)
 *	LIBRARY_CALLS(calls, CALLS);
 */
#define LIBRARY_POINTER(name) static typeof(&name) sym_##name;
#define LIBRARY_ENTRY(name) { #name, &sym_##name },
#define LIBRARY_CALLS(table, list)                                               \
	list(LIBRARY_POINTER) static const struct library_call table[] = { list( \
		LIBRARY_ENTRY) }

/*
 * Fills in the pointers of a table. Returns 0; or -ELIBACC, with `why` saying what is
 * missing and which package has it. Only the first time costs anything.
 */
int library_load(enum library library, const struct library_call *calls, size_t n,
		 struct str *why) __attribute__((nonnull, warn_unused_result));
