/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "json.h"

#include <json-c/json.h>
#include <string.h>

bool json_valid(const char *text)
{
	struct json_tokener *tokener = json_tokener_new();
	struct json_object *object;
	bool valid;

	for (const char *c = text; *c; c++)
		if ((unsigned char)*c >= 0x80)
			return json_tokener_free(tokener), false;
	json_tokener_set_flags(tokener, JSON_TOKENER_STRICT);
	object = json_tokener_parse_ex(tokener, text, (int)strlen(text) + 1);
	valid = json_tokener_get_error(tokener) == json_tokener_success;
	json_object_put(object);
	json_tokener_free(tokener);
	return valid;
}
