/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "boot.h"

#include <errno.h>
#include <json-c/json.h>
#include <stdlib.h>

#define JSON_MAX (512 * 1024)

const char *verdict_name(enum verdict verdict)
{
	static const char *const names[] = {
		[VERDICT_NONE] = "none",	 [VERDICT_CONFIRMED] = "confirmed",
		[VERDICT_RELEASED] = "released", [VERDICT_IN_USE] = "in-use",
		[VERDICT_FAILED] = "failed",
	};

	return names[verdict];
}

static int load_json(struct fs *root, const char *path, struct json_object **ret)
{
	char *text = malloc(JSON_MAX);
	int r;

	if (!text)
		return -ENOMEM;
	r = fs_read_file(root, path, text, JSON_MAX, NULL);
	if (r == 0) {
		*ret = json_tokener_parse(text);
		if (!json_object_is_type(*ret, json_type_object)) {
			json_object_put(*ret);
			r = -EPROTO;
		}
	}
	free(text);
	return r;
}

/* "" where there is no such text. */
static const char *text_of(struct json_object *object, const char *key)
{
	struct json_object *value;

	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_string))
		return "";
	return json_object_get_string(value);
}

static struct json_object *array_of(struct json_object *object, const char *key,
				    size_t *n)
{
	struct json_object *value;

	*n = 0;
	if (!json_object_object_get_ex(object, key, &value) ||
	    !json_object_is_type(value, json_type_array))
		return NULL;
	*n = json_object_array_length(value);
	return value;
}

static enum outcome outcome_of(struct json_object *object)
{
	const char *text = text_of(object, "outcome");
	enum outcome o = OUTCOME_KEPT;

	for (unsigned i = 0; i <= OUTCOME_CLAIMED; i++)
		if (str_equal(text, outcome_name(i)))
			o = i;
	return o;
}

static enum reason reason_of(struct json_object *object)
{
	const char *text = text_of(object, "reason");
	enum reason reason = REASON_NONE;

	for (unsigned i = 0; i < REASON_COUNT; i++)
		if (str_equal(text, reason_name(i)))
			reason = i;
	return reason;
}

static void take_record(struct json_object *object, struct record *ret)
{
	struct json_object *record, *value;
	const char *kind, *hex;

	if (!json_object_object_get_ex(object, "record", &record))
		return;
	kind = text_of(record, "kind");
	ret->kind = str_equal(kind, "efi")	   ? RECORD_EFI
		    : str_equal(kind, "partition") ? RECORD_PARTITION
						   : RECORD_NONE;
	if (json_object_object_get_ex(record, "attempts", &value))
		ret->attempts = (unsigned)json_object_get_int(value);
	if (json_object_object_get_ex(record, "confirmed", &value))
		ret->confirmed = json_object_get_boolean(value);
	hex = text_of(record, "fingerprint");
	if (!str_take_hex(&hex, 16, 16, &ret->fingerprint))
		ret->fingerprint = 0;
	if (!record_partuuid_parse(text_of(record, "partition"), ret->partuuid))
		ret->partuuid[0] = '\0';
}

static bool take_function(struct json_object *object, struct report_function *ret)
{
	struct json_object *value;

	*ret = (struct report_function){ .group = -1 };
	if (!pci_address_parse(text_of(object, "configured"), &ret->configured))
		return false;
	ret->found = pci_address_parse(text_of(object, "address"), &ret->address);
	if (json_object_object_get_ex(object, "optional", &value))
		ret->optional = json_object_get_boolean(value);
	if (!pci_id_parse(text_of(object, "id"), &ret->vendor, &ret->device))
		ret->vendor = 0;
	if (json_object_object_get_ex(object, "group", &value) &&
	    json_object_is_type(value, json_type_int))
		ret->group = json_object_get_int(value);
	str_copy(ret->previous_driver, sizeof(ret->previous_driver),
		 text_of(object, "previous_driver"));
	str_copy(ret->driver, sizeof(ret->driver), text_of(object, "driver"));
	return true;
}

static bool take_claim(struct json_object *object, struct report *report)
{
	struct report_claim *c = &report->claims[report->n_claims];
	struct json_object *functions;
	size_t n;

	if (report->n_claims == CONF_MAX_CLAIMS)
		return false;
	str_copy(c->name, sizeof(c->name), text_of(object, "name"));
	c->outcome = outcome_of(object);
	c->reason = reason_of(object);
	str_copy(c->detail, sizeof(c->detail), text_of(object, "detail"));
	c->first = report->n_functions;
	functions = array_of(object, "functions", &n);
	for (size_t i = 0; i < n; i++, report->n_functions++)
		if (report->n_functions == CONF_MAX_FUNCTIONS ||
		    !take_function(json_object_array_get_idx(functions, i),
				   &report->functions[report->n_functions]))
			return false;
	c->n = (unsigned)n;
	report->n_claims++;
	return true;
}

static void take_warnings(struct json_object *object, struct report *report)
{
	struct json_object *warnings, *w;
	size_t n;

	warnings = array_of(object, "warnings", &n);
	for (size_t i = 0; i < n; i++) {
		w = json_object_array_get_idx(warnings, i);
		report_warn(report, text_of(w, "code"), text_of(w, "detail"));
	}
}

int boot_load(struct fs *root, struct report *ret)
{
	struct json_object *object, *claims;
	size_t n;
	int r;

	*ret = (struct report){ .stage = "start" };
	r = load_json(root, REPORT_PATH, &object);
	if (r < 0)
		return r;
	if (str_equal(text_of(object, "stage"), "settle"))
		ret->stage = "settle";
	else if (str_equal(text_of(object, "stage"), "event"))
		ret->stage = "event";
	ret->outcome = outcome_of(object);
	ret->reason = reason_of(object);
	str_copy(ret->detail, sizeof(ret->detail), text_of(object, "detail"));
	str_copy(ret->kernel, sizeof(ret->kernel), text_of(object, "kernel"));
	take_record(object, &ret->record);
	take_warnings(object, ret);
	claims = array_of(object, "claims", &n);
	for (size_t i = 0; r == 0 && i < n; i++)
		if (!take_claim(json_object_array_get_idx(claims, i), ret))
			r = -EPROTO;
	json_object_put(object);
	return r;
}

bool boot_awaits(const struct report *boot, const struct report_claim *claim)
{
	if (claim->outcome != OUTCOME_KEPT || claim->reason != REASON_DEVICE_ABSENT)
		return false;
	for (unsigned i = claim->first; i < claim->first + claim->n; i++)
		if (!boot->functions[i].optional)
			return false;
	return claim->n;
}

bool boot_only_awaits(const struct report *boot)
{
	unsigned awaited = 0;

	for (unsigned i = 0; i < boot->n_claims; i++) {
		const struct report_claim *c = &boot->claims[i];

		if (boot_awaits(boot, c))
			awaited++;
		else if (c->outcome != OUTCOME_CLAIMED && c->reason != REASON_OFF)
			return false;
	}
	return awaited;
}

void boot_load_confirmation(struct fs *root, struct confirmation *ret)
{
	struct json_object *object, *by_owner;

	*ret = (struct confirmation){ .verdict = VERDICT_NONE };
	if (load_json(root, CONFIRM_PATH, &object) < 0)
		return;
	for (unsigned i = VERDICT_NONE; i <= VERDICT_FAILED; i++)
		if (str_equal(text_of(object, "outcome"), verdict_name(i)))
			ret->verdict = i;
	str_copy(ret->detail, sizeof(ret->detail), text_of(object, "detail"));
	if (json_object_object_get_ex(object, "by_owner", &by_owner))
		ret->by_owner = json_object_get_boolean(by_owner);
	json_object_put(object);
}

int boot_save_confirmation(struct fs *root, const struct confirmation *confirmation)
{
	struct json_object *object = json_object_new_object();
	const char *text;
	int r = -ENOMEM;

	json_object_object_add(object, "version", json_object_new_int(1));
	json_object_object_add(
		object, "outcome",
		json_object_new_string(verdict_name(confirmation->verdict)));
	json_object_object_add(object, "detail",
			       json_object_new_string(confirmation->detail));
	if (confirmation->by_owner)
		json_object_object_add(object, "by_owner", json_object_new_boolean(true));
	text = json_object_to_json_string_ext(object, JSON_C_TO_STRING_PRETTY);
	if (text)
		r = root->ops->replace(root, CONFIRM_PATH, text, strlen(text), FS_QUICK);
	json_object_put(object);
	return r;
}
