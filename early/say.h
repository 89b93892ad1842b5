/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * A report in a few lines, for the kernel log (or stderr, for a captured machine).
 *
 * One write to /dev/kmsg is one record of at most about 1000 bytes, and it drops records
 * beyond ten in five seconds without an error: so there are eight at most.
 */
#pragma once

#include "report.h"

#define SAY_MAX_LINES 8

void say_report(struct fs *root, const struct report *report) __attribute__((nonnull));

/* One line; `level` as in syslog(2): 3 error, 4 warning, 5 notice, 6 information. */
void say_line(struct fs *root, unsigned level, const char *text) __attribute__((nonnull));
