/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "ledger.h"
#include "slurp.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <json.h>

#define VERSION_OF_FILE 1
#define MAX_MODE 07777

static const char *const phases[LEDGER_PHASES] = {
	[LEDGER_APPLIED] = "applied",
	[LEDGER_FILES] = "files",
	[LEDGER_PROGRAMS] = "programs",
	[LEDGER_UNDO] = "undo",
};

static const char *const kinds[] = {
	[CHANGE_FILE] = "file",
	[CHANGE_ARGS] = "args",
	[CHANGE_CONF] = "conf",
};

/* ---- writing; json-c has no memory errors that could be seen, it dies in assert() */

static void put(json_object *to, const char *key, json_object *value)
{
	json_object_object_add(to, key, value);
}

static void put_string(json_object *to, const char *key, const char *value)
{
	put(to, key, json_object_new_string(value));
}

static json_object *words_json(char *const *words, size_t n)
{
	json_object *array = json_object_new_array();

	for (size_t i = 0; i < n; i++)
		json_object_array_add(array, json_object_new_string(words[i]));
	return array;
}

static json_object *argv_json(char *const *argv)
{
	size_t n = 0;

	while (argv[n])
		n++;
	return words_json(argv, n);
}

static json_object *xattrs_json(const struct meta *meta)
{
	static const char digits[] = "0123456789abcdef";
	json_object *all = json_object_new_object();

	for (const struct xattr *x = meta->xattrs; x < meta->xattrs + meta->n_xattrs;
	     x++) {
		char *hex = malloc(2 * x->len + 1);

		if (!hex)
			continue;
		for (size_t i = 0; i < x->len; i++) {
			hex[2 * i] = digits[(uint8_t)x->value[i] >> 4];
			hex[2 * i + 1] = digits[x->value[i] & 15];
		}
		hex[2 * x->len] = '\0';
		put_string(all, x->name, hex);
		free(hex);
	}
	return all;
}

static json_object *file_json(const struct ledger_file *f)
{
	json_object *o = json_object_new_object();

	put_string(o, "path", f->path);
	put_string(o, "kind", kinds[f->kind]);
	if (f->owner)
		put_string(o, "owner", f->owner);
	put(o, "ours", words_json(f->ours.words, f->ours.n));
	put(o, "edited", json_object_new_boolean(f->edited));
	put_string(o, "after", f->after);
	put_string(o, "previous", f->previous);
	put_string(o, "before", f->before);
	if (!*f->before)
		return o;
	put(o, "backup", json_object_new_int64(f->backup));
	put(o, "mode", json_object_new_int64(f->meta.mode));
	put(o, "uid", json_object_new_int64(f->meta.uid));
	put(o, "gid", json_object_new_int64(f->meta.gid));
	put(o, "xattrs", xattrs_json(&f->meta));
	return o;
}

static json_object *program_json(const struct ledger_program *p)
{
	json_object *o = json_object_new_object();

	put(o, "argv", argv_json(p->argv));
	if (p->undo_argv)
		put(o, "undo", argv_json(p->undo_argv));
	put_string(o, "why", p->why);
	put(o, "begun", json_object_new_boolean(p->begun));
	put(o, "done", json_object_new_boolean(p->done));
	return o;
}

char *ledger_print(const struct ledger *ledger)
{
	json_object *o = json_object_new_object(), *files = json_object_new_array(),
		    *programs = json_object_new_array();
	char *text;

	for (size_t i = 0; i < ledger->n_files; i++)
		json_object_array_add(files, file_json(&ledger->files[i]));
	for (size_t i = 0; i < ledger->n_programs; i++)
		json_object_array_add(programs, program_json(&ledger->programs[i]));
	put(o, "version", json_object_new_int64(VERSION_OF_FILE));
	put_string(o, "state", phases[ledger->phase]);
	put(o, "files", files);
	put(o, "programs", programs);
	put(o, "folders", words_json(ledger->folders, ledger->n_folders));
	put(o, "pending", words_json(ledger->pending, ledger->n_pending));
	if (asprintf(&text, "%s\n",
		     json_object_to_json_string_ext(
			     o, JSON_C_TO_STRING_PRETTY |
					JSON_C_TO_STRING_NOSLASHESCAPE)) < 0)
		text = NULL;
	json_object_put(o);
	return text;
}

/* ---- reading: true, or it is damaged */

static json_object *get(json_object *o, const char *key, json_type type)
{
	json_object *value;

	return json_object_object_get_ex(o, key, &value) &&
			       json_object_is_type(value, type)
		       ? value
		       : NULL;
}

/* NULL, too, if a NUL byte is in it */
static const char *string_of(json_object *o)
{
	const char *text = json_object_get_string(o);

	return text && strlen(text) == (size_t)json_object_get_string_len(o) ? text
									     : NULL;
}

/* NULL if it is another type. */
static const char *string_at(json_object *array, size_t i)
{
	json_object *item = json_object_array_get_idx(array, i);

	return json_object_is_type(item, json_type_string) ? string_of(item) : NULL;
}

static const char *get_string(json_object *o, const char *key)
{
	json_object *value = get(o, key, json_type_string);

	return value ? string_of(value) : NULL;
}

static bool get_number(json_object *o, const char *key, int64_t max, int64_t *ret)
{
	json_object *value = get(o, key, json_type_int);

	*ret = value ? json_object_get_int64(value) : -1;
	return *ret >= 0 && *ret <= max;
}

static bool get_bool(json_object *o, const char *key, bool *ret)
{
	json_object *value = get(o, key, json_type_boolean);

	*ret = value && json_object_get_boolean(value);
	return value != NULL;
}

static bool get_hash(json_object *o, const char *key, char ret[LEDGER_HASH_LEN])
{
	const char *text = get_string(o, key);

	if (!text || strspn(text, "0123456789abcdef") != strlen(text) ||
	    (*text && strlen(text) != LEDGER_HASH_LEN - 1))
		return false;
	str_copy(ret, LEDGER_HASH_LEN, text);
	return true;
}

static bool get_choice(json_object *o, const char *key, const char *const *choices,
		       size_t n, unsigned *ret)
{
	const char *text = get_string(o, key);

	for (*ret = 0; text && *ret < n; ++*ret)
		if (str_equal(text, choices[*ret]))
			return true;
	return false;
}

static bool get_argv(json_object *o, const char *key, char ***ret)
{
	json_object *array = get(o, key, json_type_array);
	const size_t n = array ? json_object_array_length(array) : 0;
	const char *word;

	if (!n)
		return false;
	*ret = calloc(n + 1, sizeof(**ret));
	for (size_t i = 0; *ret && i < n; i++) {
		word = string_at(array, i);
		(*ret)[i] = word ? strdup(word) : NULL;
		if (!(*ret)[i])
			return false;
	}
	return *ret && ***ret;
}

static bool get_paths(json_object *o, const char *key, char ***ret, size_t *ret_n)
{
	json_object *array = get(o, key, json_type_array);

	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		const char *path = string_at(array, i);

		if (!path || !path_is_plain(path) ||
		    ledger_add_path(ret, ret_n, path) < 0)
			return false;
	}
	return array != NULL;
}

static bool get_args(json_object *o, const char *key, struct args *ret)
{
	json_object *array = get(o, key, json_type_array);

	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		const char *word = string_at(array, i);

		if (!word || args_add(ret, word) < 0)
			return false;
	}
	return array != NULL;
}

static int digit(char c)
{
	const char *digits = "0123456789abcdef", *at = c ? strchr(digits, c) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool get_xattr(struct meta *meta, const char *name, const char *hex)
{
	const size_t len = hex ? strlen(hex) / 2 : 0;
	char *value = hex && strlen(hex) % 2 == 0 ? malloc(len + 1) : NULL;
	bool good = value != NULL;

	for (size_t i = 0; good && i < len; i++) {
		const int high = digit(hex[2 * i]), low = digit(hex[2 * i + 1]);

		good = high >= 0 && low >= 0;
		value[i] = (char)(high * 16 + low);
	}
	good = good && meta_add_xattr(meta, name, value, len) == 0;
	free(value);
	return good;
}

static bool get_meta(json_object *o, struct meta *ret)
{
	json_object *xattrs = get(o, "xattrs", json_type_object);
	int64_t mode, uid, gid;

	if (!xattrs || !get_number(o, "mode", MAX_MODE, &mode) ||
	    !get_number(o, "uid", UINT32_MAX - 1, &uid) ||
	    !get_number(o, "gid", UINT32_MAX - 1, &gid))
		return false;
	ret->mode = (mode_t)mode;
	ret->uid = (uid_t)uid;
	ret->gid = (gid_t)gid;
	json_object_object_foreach(
		xattrs, name,
		value) if (!json_object_is_type(value, json_type_string) ||
			   !get_xattr(ret, name, string_of(value))) return false;
	return true;
}

static bool get_file(struct ledger *ledger, json_object *o)
{
	const char *path = get_string(o, "path"), *owner = get_string(o, "owner");
	struct ledger_file *f;
	unsigned kind;
	int64_t backup;

	if (!path || !path_is_plain(path) || ledger_find(ledger, path))
		return false;
	f = ledger_add_file(ledger, path);
	if (!f || !get_choice(o, "kind", kinds, ARRAY_SIZE(kinds), &kind) ||
	    !get_args(o, "ours", &f->ours) || !get_bool(o, "edited", &f->edited) ||
	    !get_hash(o, "before", f->before) || !get_hash(o, "after", f->after) ||
	    !get_hash(o, "previous", f->previous))
		return false;
	f->kind = (enum change_kind)kind;
	f->owner = owner ? strdup(owner) : NULL;
	if (!*f->before)
		return true;
	if (!get_number(o, "backup", 1000000, &backup) || !backup ||
	    !get_meta(o, &f->meta))
		return false;
	f->backup = (unsigned)backup;
	return true;
}

static bool get_program(struct ledger *ledger, json_object *o)
{
	struct ledger_program *bigger, *p;
	const char *why = get_string(o, "why");
	json_object *undo;

	if (!why)
		return false;
	bigger = reallocarray(ledger->programs, ledger->n_programs + 1, sizeof(*bigger));
	if (!bigger)
		return false;
	ledger->programs = bigger;
	p = &bigger[ledger->n_programs++];
	*p = (struct ledger_program){ .why = strdup(why) };
	if (!p->why || !get_argv(o, "argv", &p->argv) ||
	    !get_bool(o, "begun", &p->begun) || !get_bool(o, "done", &p->done))
		return false;
	return !json_object_object_get_ex(o, "undo", &undo) ||
	       get_argv(o, "undo", &p->undo_argv);
}

static bool get_all(json_object *o, const char *key, struct ledger *ledger,
		    bool (*one)(struct ledger *, json_object *))
{
	json_object *array = get(o, key, json_type_array);

	for (size_t i = 0; array && i < json_object_array_length(array); i++) {
		json_object *item = json_object_array_get_idx(array, i);

		if (!json_object_is_type(item, json_type_object) || !one(ledger, item))
			return false;
	}
	return array != NULL;
}

static bool get_ledger(json_object *o, struct ledger *ret, struct str *why)
{
	unsigned phase;
	int64_t version;

	if (!o || !json_object_is_type(o, json_type_object)) {
		str_add(why, "it is not JSON");
		return false;
	}
	if (!get_number(o, "version", INT64_MAX, &version) ||
	    version != VERSION_OF_FILE) {
		str_add(why, "it is of another version of vfio-claim");
		return false;
	}
	if (!get_choice(o, "state", phases, LEDGER_PHASES, &phase))
		str_add(why, "\"state\" is missing or wrong");
	else if (!get_all(o, "files", ret, get_file))
		str_add(why, "an entry of \"files\" is wrong");
	else if (!get_all(o, "programs", ret, get_program))
		str_add(why, "an entry of \"programs\" is wrong");
	else if (!get_paths(o, "folders", &ret->folders, &ret->n_folders))
		str_add(why, "an entry of \"folders\" is wrong");
	else if (!get_paths(o, "pending", &ret->pending, &ret->n_pending))
		str_add(why, "an entry of \"pending\" is wrong");
	else
		ret->phase = (enum ledger_phase)phase;
	return !why->len;
}

int ledger_parse(const char *text, size_t len, struct ledger *ret, struct str *why)
{
	json_tokener *tokener = json_tokener_new();
	struct ledger ledger = { 0 };
	json_object *o;
	bool good;

	if (!tokener)
		return -ENOMEM;
	o = len <= INT32_MAX ? json_tokener_parse_ex(tokener, text, (int)len) : NULL;
	if (o && json_tokener_get_error(tokener) == json_tokener_success &&
	    strspn(text + json_tokener_get_parse_end(tokener), " \t\n") ==
		    len - json_tokener_get_parse_end(tokener)) {
		good = get_ledger(o, &ledger, why);
	} else {
		good = get_ledger(NULL, &ledger, why);
	}
	json_object_put(o);
	json_tokener_free(tokener);
	if (!good) {
		ledger_finish(&ledger);
		return -EPROTO;
	}
	*ret = ledger;
	return 0;
}
