/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answer.h"

#include <json-c/json.h>
#include <stdio.h>

int answer(const struct context *context, const char *outcome, const char *detail,
	   int status)
{
	struct json_object *object;

	if (!context->json) {
		if (status == EXIT_DONE)
			puts(detail);
		else
			fprintf(stderr, "vfio-claim: %s\n", detail);
		return status;
	}
	object = json_object_new_object();
	json_object_object_add(object, "version", json_object_new_int(1));
	json_object_object_add(object, "outcome", json_object_new_string(outcome));
	json_object_object_add(object, "detail", json_object_new_string(detail));
	puts(json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
	return status;
}
