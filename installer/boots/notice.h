/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Tells the owner what went wrong where they will see it: on the console, at the next
 * login, and on stderr, which is the journal's in a service.
 */
#pragma once

#include "fs.h"

#define NOTICE_PATH "run/motd.d/vfio-claim"

void notice_post(struct fs *root, const char *text) __attribute__((nonnull));
void notice_clear(struct fs *root) __attribute__((nonnull));
