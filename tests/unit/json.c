/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include "unit.h"

struct json_object *json_of(const char *text, size_t len)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;

	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT | JSON_TOKENER_VALIDATE_UTF8);
	object = json_tokener_parse_ex(tokener, text, (int)len);
	assert_that(object, "%s at %zu:\n%s",
		    json_tokener_error_desc(json_tokener_get_error(tokener)),
		    json_tokener_get_parse_end(tokener), text);
	/* nothing behind it but the newline */
	assert_true(json_tokener_get_parse_end(tokener) >= len - 1);
	json_tokener_free(tokener);
	return object;
}

struct json_object *json_of_report(const struct report *report)
{
	const size_t size = 1024 * 1024;
	struct json_object *object;
	char *buf = malloc(size);
	struct str s;

	str_init(&s, buf, size);
	report_add_json(&s, report);
	assert_false(s.cut);
	for (size_t i = 0; i < s.len; i++)
		assert_true((buf[i] >= 0x20 && buf[i] < 0x7f) || buf[i] == '\n');
	object = json_of(buf, s.len);
	free(buf);
	return object;
}

struct json_object *json_at(struct json_object *object, const char *key)
{
	struct json_object *member = NULL;

	assert_that(json_object_object_get_ex(object, key, &member), "no \"%s\" in %s",
		    key, json_object_to_json_string(object));
	return member;
}

void assert_json(struct json_object *object, const char *key, const char *value)
{
	struct json_object *member = json_at(object, key);

	assert_true(json_object_is_type(member, json_type_string));
	assert_string_equal(json_object_get_string(member), value);
}

void assert_json_int(struct json_object *object, const char *key, long value)
{
	struct json_object *member = json_at(object, key);

	assert_true(json_object_is_type(member, json_type_int));
	assert_int_equal(json_object_get_int64(member), value);
}

void assert_json_null(struct json_object *object, const char *key)
{
	assert_null(json_at(object, key));
}

void assert_no_json(struct json_object *object, const char *key)
{
	assert_false(json_object_object_get_ex(object, key, NULL));
}
