/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "answer.h"

#include <json-c/json.h>
#include <stdio.h>
#include <unistd.h>

#include "text.h"

int answer(const struct context *context, const char *outcome, const char *detail,
	   int status)
{
	return answer_with(context, outcome, detail, NULL, status);
}

static void print_json(const char *outcome, const char *detail,
		       struct json_object *members)
{
	struct json_object *object = json_object_new_object();

	json_object_object_add(object, "version", json_object_new_int(1));
	json_object_object_add(object, "outcome", json_object_new_string(outcome));
	json_object_object_add(object, "detail", json_object_new_string(detail));
	if (members) {
		json_object_object_foreach(members, key, value)
			json_object_object_add(object, key, json_object_get(value));
	}
	puts(json_object_to_json_string_ext(
		object, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(object);
}

int answer_with(const struct context *context, const char *outcome, const char *detail,
		struct json_object *members, int status)
{
	if (context->json)
		print_json(outcome, detail, members);
	else if (status == EXIT_DONE)
		puts(detail);
	else
		fprintf(stderr, "vfio-claim: %s\n", detail);
	json_object_put(members);
	return status;
}

bool answer_one_claim(const struct context *context, int *ret)
{
	if (context->n_arguments != 1)
		*ret = answer(context, "usage", _("name one claim; see --help"),
			      EXIT_USAGE);
	else if (!context->root.captured && !context->dry_run && geteuid() != 0)
		*ret = answer(context, "refused", _("only root may do that"),
			      EXIT_REFUSED);
	else
		return true;
	return false;
}
