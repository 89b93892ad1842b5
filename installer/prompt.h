/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Questions to a person at a terminal.
 */
#pragma once

#include <stdbool.h>

/* True if there is somebody to ask: stdin and stderr are terminals. */
bool prompt_possible(void);

/* A yes-or-no question on stderr; anything but yes is no, and so is the end of input. */
bool prompt_yes(const char *question) __attribute__((nonnull));

/*
 * A number from 1 to `max`; an empty answer is `proposed`, if that is not 0. Asks again
 * when the answer is none of these. 0 at the end of input, and for "q".
 */
unsigned prompt_number(const char *question, unsigned max, unsigned proposed)
	__attribute__((nonnull));
