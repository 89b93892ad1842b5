/* SPDX-License-Identifier: GPL-2.0-or-later */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <json-c/json.h>

#include "iommu.h"
#include "list.h"
#include "text.h"
#include "tune.h"

/* Whether everything could be made; json-c copies, so one check at the end is enough. */
static bool complete;

static void add(struct json_object *to, const char *key, struct json_object *value)
{
	if (!value || json_object_object_add(to, key, value) < 0)
		complete = false;
}

static void append(struct json_object *to, struct json_object *value)
{
	if (!value || json_object_array_add(to, value) < 0)
		complete = false;
}

static void add_text(struct json_object *to, const char *key, const char *text)
{
	char clean[512];

	text_clean(clean, sizeof(clean), text);
	add(to, key, json_object_new_string(clean));
}

static void add_bool(struct json_object *to, const char *key, bool value)
{
	add(to, key, json_object_new_boolean(value));
}

/* null has no object in json-c */
static void add_null(struct json_object *to, const char *key)
{
	if (json_object_object_add(to, key, NULL) < 0)
		complete = false;
}

static void add_number(struct json_object *to, const char *key, int value)
{
	if (value < 0)
		add_null(to, key);
	else
		add(to, key, json_object_new_int(value));
}

static void add_claim(struct json_object *to, const struct conf_claim *claim)
{
	struct json_object *o;

	if (!claim) {
		add_null(to, "claim");
		return;
	}
	o = json_object_new_object();
	add_text(o, "name", claim->name);
	add_text(o, "boot", claim->named ? "named" : "always");
	add(to, "claim", o);
}

static void add_function(struct json_object *to, const struct pci_function *f,
			 const char *path, const char *name, int group,
			 const struct configured *configured)
{
	char text[PCI_ADDRESS_LEN];
	struct str s = STR_ON(text);

	pci_address_add(&s, f->address);
	add_text(to, "address", text);
	if (*path)
		add_text(to, "path", path);
	else
		add_null(to, "path");
	add_text(to, "name", name);
	add_bool(to, "readable", f->known);
	snprintf(text, sizeof(text), "%04x:%04x", f->ids.vendor, f->ids.device);
	add_text(to, "id", text);
	snprintf(text, sizeof(text), "%04x:%04x", f->ids.subvendor, f->ids.subdevice);
	add_text(to, "subsystem", text);
	snprintf(text, sizeof(text), "%06x", (unsigned)f->ids.class);
	add_text(to, "class", text);
	if (*f->driver)
		add_text(to, "driver", f->driver);
	else
		add_null(to, "driver");
	add_number(to, "group", group);
	add_claim(to, configured_claim(configured, f->address));
}

static struct json_object *reset_methods(struct fs *root, struct pci_address address)
{
	struct json_object *array = json_object_new_array();
	char list[128], *rest = list, *word;

	if (tune_resets(root, address, list, sizeof(list)) < 0)
		list[0] = '\0';
	while ((word = strsep(&rest, " ")))
		if (*word)
			append(array, json_object_new_string(word));
	return array;
}

/* Of each BAR that can be resized, as `rebar` takes it. */
static struct json_object *bar_sizes(struct fs *root, struct pci_address address)
{
	struct json_object *o = json_object_new_object(), *sizes;
	char key[] = "0", text[16];
	uint64_t bits;

	for (unsigned bar = 0; bar < 6; bar++) {
		if (tune_sizes(root, address, bar, &bits) < 0)
			continue;
		sizes = json_object_new_array();
		for (unsigned i = 0; i < TUNE_SIZES; i++) {
			struct str s = STR_ON(text);

			if (!(bits >> i & 1))
				continue;
			setting_add_size(&s, i);
			append(sizes, json_object_new_string(text));
		}
		key[0] = (char)('0' + bar);
		add(o, key, sizes);
	}
	return o;
}

static struct json_object *card_function(struct fs *root, const struct card_function *f,
					 const struct configured *configured)
{
	struct json_object *o = json_object_new_object();
	char text[96];
	struct str s = STR_ON(text);

	pci_path_add(&s, &f->path);
	add_function(o, &f->function, text, f->name, f->group, configured);
	add_bool(o, "unique", f->unique);
	if (f->config.has_serial) {
		s = STR_ON(text);
		for (int i = 7; i >= 0; i--) {
			str_add_hex(&s, f->config.serial >> (8 * i) & 0xff, 2);
			str_add(&s, i ? "-" : "");
		}
		add_text(o, "serial", text);
	} else {
		add_null(o, "serial");
	}
	add(o, "reset_methods", reset_methods(root, f->function.address));
	add(o, "bar_sizes", bar_sizes(root, f->function.address));
	return o;
}

static struct json_object *shape(const struct shape *of)
{
	struct json_object *o = json_object_new_object();
	struct json_object *outputs = json_object_new_array();

	add_bool(o, "controller", of->controller);
	add_bool(o, "headless", of->headless);
	add_bool(o, "removable", of->removable);
	add_bool(o, "panel", of->panel);
	add_bool(o, "panel_on", of->panel_on);
	for (size_t i = 0; i < of->n_outputs; i++)
		append(outputs, json_object_new_string(of->outputs[i]));
	add(o, "outputs", outputs);
	if (*of->state)
		add_text(o, "power_state", of->state);
	else
		add_null(o, "power_state");
	add_text(o, "power", shape_power_name(of->power));
	return o;
}

static struct json_object *card(struct fs *root, const struct card *c,
				const struct configured *configured)
{
	static const char *const verdicts[] = {
		[CARD_CLAIMABLE] = "claimable",
		[CARD_CLAIMED] = "claimed",
		[CARD_E_NO_IOMMU] = "no-iommu",
		[CARD_E_GROUP] = "group-not-viable",
		[CARD_E_LAST_DISPLAY] = "last-display",
		[CARD_E_NEEDED] = "needed",
		[CARD_E_UNREADABLE] = "unreadable",
	};
	struct json_object *o = json_object_new_object();
	struct json_object *functions = json_object_new_array();
	struct json_object *connectors = json_object_new_array();

	add_text(o, "verdict", verdicts[c->verdict]);
	add_text(o, "detail", c->detail);
	add_bool(o, "boot_display", c->boot_display);
	add_bool(o, "boot_vga", c->boot_vga);
	for (size_t i = 0; i < c->n_connectors; i++)
		append(connectors, json_object_new_string(c->connectors[i]));
	add(o, "connected", connectors);
	add(o, "shape", shape(&c->shape));
	for (size_t i = 0; i < c->n; i++)
		append(functions, card_function(root, &c->functions[i], configured));
	add(o, "functions", functions);
	return o;
}

static struct json_object *functions_of(const struct list *list,
					const struct configured *configured)
{
	struct json_object *array = json_object_new_array(), *o;
	const struct list_entry *e;

	for (e = list->entries; e < list->entries + list->n; e++) {
		o = json_object_new_object();
		add_function(o, e->function, e->path, e->name, e->group, configured);
		append(array, o);
	}
	return array;
}

static struct json_object *groups_of(const struct list *list)
{
	const struct list_entry **order = list_by_group(list);
	struct json_object *array = json_object_new_array(), *o = NULL, *members = NULL;
	char text[PCI_ADDRESS_LEN];
	struct str s;

	complete = complete && order;
	for (size_t i = 0; order && i < list->n && order[i]->group >= 0; i++) {
		if (!i || order[i]->group != order[i - 1]->group) {
			o = json_object_new_object();
			members = json_object_new_array();
			add_number(o, "group", order[i]->group);
			add(o, "functions", members);
			append(array, o);
		}
		s = STR_ON(text);
		pci_address_add(&s, order[i]->function->address);
		append(members, json_object_new_string(text));
	}
	free(order);
	return array;
}

int list_print_json(struct fs *root, const struct cards *cards, const struct list *list,
		    const struct configured *configured)
{
	struct json_object *o = json_object_new_object();
	struct json_object *array = json_object_new_array(),
			   *iommu = json_object_new_object();
	const char *text;

	complete = true;
	add(o, "version", json_object_new_int(1));
	add_bool(iommu, "active", iommu_present(root));
	add_bool(iommu, "unsafe_mode", iommu_unsafe_mode(root));
	add(o, "iommu", iommu);
	for (size_t i = 0; i < cards->n; i++)
		append(array, card(root, &cards->cards[i], configured));
	add(o, "cards", array);
	add(o, "functions", functions_of(list, configured));
	add(o, "groups", groups_of(list));
	text = complete ? json_object_to_json_string_ext(
				  o, JSON_C_TO_STRING_PRETTY | JSON_C_TO_STRING_SPACED |
					     JSON_C_TO_STRING_NOSLASHESCAPE)
			: NULL;
	if (text)
		puts(text);
	json_object_put(o);
	return text ? 0 : -ENOMEM;
}
