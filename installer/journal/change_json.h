/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Changes as scripts see them, of every command alike.
 */
#pragma once

#include <json.h>

#include "change.h"

/*
 * Adds "files": [ { "path": "/etc/…", "action": "create", "change" or "remove" } ] and
 * "programs": [ [ word… ] ] in their order. Without changes both are empty.
 */
void changes_add_json(json_object *o, const struct changes *changes)
	__attribute__((nonnull(1)));
