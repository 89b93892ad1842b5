/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What every test file includes, in the order that cmocka wants. */
#pragma once

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <errno.h>

#include <cmocka.h>

/* Runs a group; UNIT_ONLY chooses tests by a pattern with * and ?. */
#define UNIT_RUN(tests)                               \
	(cmocka_set_test_filter(getenv("UNIT_ONLY")), \
	 cmocka_run_group_tests(tests, NULL, NULL))

/* Fails the test with a message as of printf(). */
#define assert_that(condition, ...)               \
	do {                                      \
		if (!(condition)) {               \
			print_error(__VA_ARGS__); \
			print_error("\n");        \
			fail();                   \
		}                                 \
	} while (0)

/* That `text` contains `part`. */
#define assert_contains(text, part) \
	assert_that(strstr(text, part), "\"%s\" does not contain \"%s\"", text, part)
