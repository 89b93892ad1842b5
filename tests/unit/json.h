/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Reading JSON back, with a parser that is not ours. */
#pragma once

#include <json-c/json.h>

#include "report.h"

/* Parses strictly; fails the test if that does not work. The caller puts it. */
struct json_object *json_of(const char *text, size_t len);
struct json_object *json_of_report(const struct report *report);

/* The member `key`; fails the test if there is none. */
struct json_object *json_at(struct json_object *object, const char *key);
void assert_json(struct json_object *object, const char *key, const char *value);
void assert_json_int(struct json_object *object, const char *key, long value);
/* JSON's null is a NULL in json-c. */
void assert_json_null(struct json_object *object, const char *key);
void assert_no_json(struct json_object *object, const char *key);
