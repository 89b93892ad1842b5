/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * vfio-claim entries: the claims that have an entry of their own in the boot menu. For
 * the scripts that write it: a line each, "NAME ARGUMENT TITLE".
 */
#include <errno.h>
#include <json-c/json.h>
#include <stdio.h>

#include "command.h"
#include "entries.h"
#include "setup_conf.h"
#include "text.h"

static struct conf conf;

static void print_word(const struct conf_claim *c, const char *argument,
		       struct json_object *entries)
{
	(void)entries;
	printf("%s %s " ENTRIES_TITLE "%s\n", c->name, argument, c->name);
}

static void add_json(const struct conf_claim *c, const char *argument,
		     struct json_object *entries)
{
	struct json_object *entry = json_object_new_object();

	json_object_object_add(entry, "claim", json_object_new_string(c->name));
	json_object_object_add(entry, "argument", json_object_new_string(argument));
	json_object_array_add(entries, entry);
}

static void each(void (*show)(const struct conf_claim *c, const char *argument,
			      struct json_object *entries),
		 struct json_object *entries)
{
	char argument[KARGS_WORD_MAX + 16];
	struct kargs_choice choice;

	for (const struct conf_claim *c = conf.claims; c < conf.claims + conf.n_claims;
	     c++) {
		if (!c->named)
			continue;
		entries_choose(&conf, c, &choice);
		snprintf(argument, sizeof(argument), "vfio_claim=%s", choice.names);
		show(c, argument, entries);
	}
}

static void print_json(void)
{
	struct json_object *all = json_object_new_object();
	struct json_object *entries = json_object_new_array();

	each(add_json, entries);
	json_object_object_add(all, "version", json_object_new_int(1));
	json_object_object_add(all, "entries", entries);
	puts(json_object_to_json_string_ext(all, JSON_C_TO_STRING_PRETTY |
							 JSON_C_TO_STRING_NOSLASHESCAPE));
	json_object_put(all);
}

static int run(struct context *context)
{
	char text[1024];
	struct str why = STR_ON(text);
	int r;

	r = setup_conf_load(&context->root, &conf, &why);
	if (r < 0 && r != -ENOENT) {
		fprintf(stderr, "vfio-claim: %s\n", text);
		return EXIT_REFUSED;
	}
	if (r == -ENOENT)
		conf.n_claims = 0;
	if (context->json)
		print_json();
	else
		each(print_word, NULL);
	return EXIT_DONE;
}

static const struct option options[] = { COMMON_OPTIONS };

const struct command cmd_entries = {
	.name = "entries",
	.summary = "The claims that have an entry of their own in the boot menu",
	.help = "",
	.options = options,
	.run = run,
	.hidden = true,
};
