/* SPDX-License-Identifier: GPL-2.0-or-later */
#pragma once

#include <stdbool.h>

/* True if `text` is one JSON value (RFC 8259) of ASCII bytes, and nothing behind it. */
bool json_valid(const char *text);
