/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "firmware.h"

#include <errno.h>
#include <fnmatch.h>
#include <json-c/json.h>
#include <stdlib.h>
#include <string.h>

#include "slurp.h"
#include "str.h"
#include "text.h"
#include "vm.h"

#define MAX_DESCRIPTOR (64 * 1024)

static const char *const folders[] = { "etc/qemu/firmware", "usr/share/qemu/firmware" };

void firmware_finish(struct firmware *firmware)
{
	free(firmware->code);
	free(firmware->code_format);
	free(firmware->variables);
	*firmware = (struct firmware){ 0 };
}

static struct json_object *get(struct json_object *o, const char *key)
{
	struct json_object *value = NULL;

	if (json_object_is_type(o, json_type_object))
		json_object_object_get_ex(o, key, &value);
	return value;
}

static const char *text_at(struct json_object *o, const char *key)
{
	struct json_object *value = get(o, key);

	return json_object_is_type(value, json_type_string)
		       ? json_object_get_string(value)
		       : NULL;
}

/* Whether an array has a text that the pattern of the array, or ours, stands for. */
static bool has(struct json_object *array, const char *text)
{
	if (!json_object_is_type(array, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(array); i++) {
		const char *item =
			json_object_get_string(json_object_array_get_idx(array, i));

		if (item && fnmatch(item, text, 0) == 0)
			return true;
	}
	return false;
}

static bool is_for_q35(struct json_object *o)
{
	struct json_object *targets = get(o, "targets");

	if (!json_object_is_type(targets, json_type_array))
		return false;
	for (size_t i = 0; i < json_object_array_length(targets); i++) {
		struct json_object *target = json_object_array_get_idx(targets, i);
		const char *architecture = text_at(target, "architecture");

		if (architecture && str_equal(architecture, "x86_64") &&
		    has(get(target, "machines"), "pc-q35-7.2"))
			return true;
	}
	return false;
}

static bool is_there(struct fs *root, const char *path)
{
	return path && *path == '/' && root->ops->exists(root, path + 1) == 0;
}

/* `ret` is filled if it fits. */
static int judge(struct fs *root, struct json_object *o, bool secure_boot, bool enrolled,
		 struct firmware *ret)
{
	struct json_object *mapping = get(o, "mapping"), *features = get(o, "features"),
			   *executable = get(mapping, "executable");
	const char *device = text_at(mapping, "device"), *mode = text_at(mapping, "mode"),
		   *code = text_at(executable, "filename"),
		   *format = text_at(executable, "format"),
		   *variables = text_at(get(mapping, "nvram-template"), "filename");

	if (!has(get(o, "interface-types"), "uefi") || !device ||
	    !str_equal(device, "flash") || (mode && !str_equal(mode, "split")) ||
	    !is_for_q35(o) || has(features, "secure-boot") != secure_boot ||
	    has(features, "enrolled-keys") != enrolled || !is_there(root, code) ||
	    !is_there(root, variables) || !vm_text_ok(code) || !vm_text_ok(variables))
		return -ENOENT;
	ret->code = strdup(code);
	ret->code_format = strdup(format ? format : "raw");
	ret->variables = strdup(variables);
	ret->enrolled = enrolled;
	if (ret->code && ret->code_format && ret->variables)
		return 0;
	firmware_finish(ret);
	return -ENOMEM;
}

static int read_descriptor(struct fs *root, const char *folder, const char *name,
			   struct json_object **ret)
{
	TEXT_OWNED char *text = NULL;
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);
	size_t len;
	int r;

	str_join(&s, folder, "/", name, NULL);
	r = s.cut ? -ENAMETOOLONG : slurp(root, path, MAX_DESCRIPTOR, &text, &len);
	if (r == 0)
		*ret = json_tokener_parse(text);
	return r;
}

/* A file of /etc hides the one of the same name in /usr, even an empty one. */
static bool is_hidden(const struct name_list *lists, size_t list, const char *name)
{
	for (size_t i = 0; i < list; i++)
		for (size_t k = 0; k < lists[i].n; k++)
			if (str_equal(lists[i].names[k], name))
				return true;
	return false;
}

static int find_in(struct fs *root, const struct name_list *lists, bool secure_boot,
		   bool enrolled, struct firmware *ret)
{
	size_t at[ARRAY_SIZE(folders)] = { 0 };
	int r = -ENOENT;

	/* by name, whatever the folder */
	while (r == -ENOENT) {
		struct json_object *o = NULL;
		size_t next = ARRAY_SIZE(folders);
		const char *name;

		for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
			if (at[i] < lists[i].n &&
			    (next == ARRAY_SIZE(folders) ||
			     strcmp(lists[i].names[at[i]], lists[next].names[at[next]]) <
				     0))
				next = i;
		if (next == ARRAY_SIZE(folders))
			break;
		name = lists[next].names[at[next]++];
		if (fnmatch("*.json", name, 0) != 0 || is_hidden(lists, next, name) ||
		    read_descriptor(root, folders[next], name, &o) < 0)
			continue;
		r = judge(root, o, secure_boot, enrolled, ret);
		json_object_put(o);
	}
	return r;
}

int firmware_find(struct fs *root, bool secure_boot, struct firmware *ret)
{
	struct name_list lists[ARRAY_SIZE(folders)] = { 0 };
	int r;

	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		if (name_list_read(root, folders[i], &lists[i]) < 0)
			lists[i] = (struct name_list){ 0 };
	r = find_in(root, lists, secure_boot, secure_boot, ret);
	if (r == -ENOENT && secure_boot)
		r = find_in(root, lists, secure_boot, false, ret);
	for (size_t i = 0; i < ARRAY_SIZE(folders); i++)
		name_list_finish(&lists[i]);
	return r;
}
