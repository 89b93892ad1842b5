/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shape.h"

#include "text.h"

/* drivers/gpu/drm/drm_connector.c: what these are called */
static bool is_panel(const char *connector)
{
	return str_starts(connector, "eDP-") || str_starts(connector, "LVDS-") ||
	       str_starts(connector, "DSI-");
}

static bool attribute_is(struct fs *root, struct pci_address address, const char *name,
			 const char *value)
{
	char path[FS_PATH_MAX], text[32];

	pci_device_path(path, sizeof(path), address, name);
	return fs_read_text(root, path, text, sizeof(text)) == 0 &&
	       str_equal(text, value);
}

/* The bridge above: the last but one part of where the function's folder is. */
static bool port_of(struct fs *root, struct pci_address address, struct pci_address *ret)
{
	char path[FS_PATH_MAX], target[FS_PATH_MAX * 4];
	char *slash;

	pci_device_path(path, sizeof(path), address, NULL);
	if (root->ops->link(root, path, target, sizeof(target)) < 0)
		return false;
	slash = strrchr(target, '/');
	if (!slash)
		return false;
	*slash = '\0';
	slash = strrchr(target, '/');
	return slash && pci_address_parse(slash + 1, ret);
}

/*
 * The port's _PR3 switches off whatever is behind it (ACPI 6.5, 7.3.11);
 * drivers/acpi/power.c shows it as power_resources_D3hot.
 */
static enum shape_power read_power(struct fs *root, struct pci_address address)
{
	struct pci_address port;
	char path[FS_PATH_MAX];

	if (!port_of(root, address, &port))
		return SHAPE_POWER_UNKNOWN;
	pci_device_path(path, sizeof(path), port, "firmware_node");
	if (root->ops->exists(root, path) < 0)
		return SHAPE_POWER_UNKNOWN;
	pci_device_path(path, sizeof(path), port, "firmware_node/power_resources_D3hot");
	if (root->ops->exists(root, path) < 0)
		return SHAPE_POWER_STAYS;
	return attribute_is(root, address, "d3cold_allowed", "0") ? SHAPE_POWER_FORBIDDEN
								  : SHAPE_POWER_CUT;
}

void shape_read(struct fs *root, const struct displays *displays,
		const struct pci_function *display, struct shape *ret)
{
	char path[FS_PATH_MAX], state[sizeof(ret->state)];

	*ret = (struct shape){ .controller = display->ids.class >> 8 == 0x0302 };
	for (size_t i = 0; i < displays->n; i++) {
		const struct display_connector *c = &displays->connectors[i];

		if (pci_address_compare(c->address, display->address) != 0)
			continue;
		if (is_panel(c->name))
			ret->panel = true;
		else if (ret->n_outputs < SHAPE_MAX_OUTPUTS)
			str_copy(ret->outputs[ret->n_outputs++], sizeof(c->name),
				 c->name);
	}
	ret->removable = attribute_is(root, display->address, "removable", "removable");
	pci_device_path(path, sizeof(path), display->address, "power_state");
	if (fs_read_text(root, path, state, sizeof(state)) == 0 && str_starts(state, "D"))
		text_clean(ret->state, sizeof(ret->state), state);
	ret->power = read_power(root, display->address);
}

const char *shape_power_name(enum shape_power power)
{
	static const char *const names[] = {
		[SHAPE_POWER_UNKNOWN] = "unknown",
		[SHAPE_POWER_STAYS] = "stays",
		[SHAPE_POWER_FORBIDDEN] = "forbidden",
		[SHAPE_POWER_CUT] = "cut",
	};

	return names[power];
}

/* ---- in words */

static void part(struct str *s, const char *text)
{
	str_join(s, s->len ? "; " : "", text, NULL);
}

static void describe_outputs(const struct shape *shape, size_t panels, struct str *s)
{
	if (shape->panel)
		part(s, panels > 1 ? _("has a connector of the inner panel, as another "
				       "card has: a MUX decides between them")
				   : _("drives the inner panel"));
	for (size_t i = 0; i < shape->n_outputs; i++) {
		if (i == 0)
			part(s, _("outer connectors: "));
		str_join(s, i ? ", " : "", shape->outputs[i], NULL);
	}
	if (shape->n_outputs && panels && !shape->panel)
		str_add(s, _(" (dark on the host while a guest has the card)"));
}

void shape_describe(const struct shape *shape, size_t panels, struct str *s)
{
	if (shape->removable)
		part(s, _("in a box outside of the machine"));
	if (shape->controller)
		part(s, shape->n_outputs ? _("3D controller")
					 : _("3D controller without outputs"));
	describe_outputs(shape, panels, s);
	if (*shape->state) {
		part(s, _("power state "));
		str_add(s, shape->state);
	}
	if (shape->power == SHAPE_POWER_CUT)
		part(s, _("the firmware can cut its power"));
	else if (shape->power == SHAPE_POWER_FORBIDDEN)
		part(s, _("the firmware could cut its power, but d3cold_allowed is 0"));
}
