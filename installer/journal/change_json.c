/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "change_json.h"

#include <stdio.h>
#include <stdlib.h>

static json_object *file_json(const struct change *c)
{
	json_object *o = json_object_new_object();
	char *path;

	if (asprintf(&path, "/%s", c->path) < 0)
		path = NULL;
	json_object_object_add(o, "path", json_object_new_string(path ? path : ""));
	json_object_object_add(o, "action",
			       json_object_new_string(!c->after	   ? "remove"
						      : !c->before ? "create"
								   : "change"));
	free(path);
	return o;
}

static json_object *program_json(const struct step *step)
{
	json_object *argv = json_object_new_array();

	for (char **word = step->argv; *word; word++)
		json_object_array_add(argv, json_object_new_string(*word));
	return argv;
}

void changes_add_json(json_object *o, const struct changes *changes)
{
	json_object *files = json_object_new_array(), *programs = json_object_new_array();

	for (size_t i = 0; changes && i < changes->n_files; i++)
		json_object_array_add(files, file_json(&changes->files[i]));
	for (size_t i = 0; changes && i < changes->n_steps; i++)
		json_object_array_add(programs, program_json(&changes->steps[i]));
	json_object_object_add(o, "files", files);
	json_object_object_add(o, "programs", programs);
}
