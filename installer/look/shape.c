/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "shape.h"

#include "d3cold.h"
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

static enum shape_power read_power(struct fs *root, struct pci_address address)
{
	switch (d3cold_of(root, address)) {
	case D3COLD_NEVER:
		return SHAPE_POWER_STAYS;
	case D3COLD_CAN:
		return attribute_is(root, address, "d3cold_allowed", "0")
			       ? SHAPE_POWER_FORBIDDEN
			       : SHAPE_POWER_CUT;
	default:
		return SHAPE_POWER_UNKNOWN;
	}
}

/* A writeback connector shows nothing to anybody. */
static void add_connector(struct shape *shape, const struct display_connector *c)
{
	if (is_panel(c->name)) {
		shape->panel = true;
		shape->panel_on = shape->panel_on || c->connected;
	} else if (!str_starts(c->name, "Writeback-") &&
		   shape->n_outputs < SHAPE_MAX_OUTPUTS) {
		str_copy(shape->outputs[shape->n_outputs++], sizeof(c->name), c->name);
	}
}

void shape_read(struct fs *root, const struct displays *displays,
		const struct pci_function *display, struct shape *ret)
{
	char path[FS_PATH_MAX], state[sizeof(ret->state)];

	*ret = (struct shape){ .controller = pci_is_3d_controller(&display->ids) };
	for (size_t i = 0; i < displays->n; i++)
		if (pci_address_compare(displays->connectors[i].address,
					display->address) == 0)
			add_connector(ret, &displays->connectors[i]);
	pci_device_path(path, sizeof(path), display->address, "drm");
	/* of a VGA card that proves nothing: nvidia_drm has none without modeset=1 */
	ret->headless = display->ids.class >> 8 == 0x0380 && !ret->panel &&
			!ret->n_outputs && root->ops->exists(root, path) == 0;
	ret->removable = attribute_is(root, display->address, "removable", "removable");
	pci_device_path(path, sizeof(path), display->address, "power_state");
	if (fs_read_text(root, path, state, sizeof(state)) == 0 && str_starts(state, "D"))
		text_clean(ret->state, sizeof(ret->state), state);
	/* a box has a power supply of its own, behind whatever port */
	if (!ret->removable)
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

void shape_count_panel(const struct shape *shape, struct shape_panels *panels)
{
	panels->n += shape->panel;
	panels->on += shape->panel_on;
}

bool shape_drives_panel(const struct shape *shape, const struct shape_panels *panels)
{
	return shape->panel && (panels->n == 1 || shape->panel_on);
}

static void describe_panel(const struct shape *shape, const struct shape_panels *panels,
			   struct str *s)
{
	if (!shape->panel)
		return;
	if (panels->n == 1)
		part(s, _("drives the inner panel"));
	else if (panels->on != 1)
		part(s, _("has a connector of the inner panel, as another card has: a "
			  "MUX decides between them"));
	else if (shape->panel_on)
		part(s, _("drives the inner panel, which a MUX can give to another "
			  "card"));
	else
		part(s, _("has a connector of the inner panel, which a MUX gives to "
			  "another card now"));
}

/* Only in a laptop: elsewhere nobody expects a card's outputs to work for two. */
static void describe_outputs(const struct shape *shape, const struct shape_panels *panels,
			     struct str *s)
{
	describe_panel(shape, panels, s);
	for (size_t i = 0; i < shape->n_outputs; i++) {
		if (i == 0)
			part(s, _("outer connectors: "));
		str_join(s, i ? ", " : "", shape->outputs[i], NULL);
	}
	if (panels->n && (shape_drives_panel(shape, panels) || shape->n_outputs))
		str_add(s, _(" (dark on the host while a guest has the card)"));
}

static void describe_power(const struct shape *shape, const struct shape_panels *panels,
			   struct str *s)
{
	if (*shape->state) {
		part(s, _("power state "));
		str_add(s, shape->state);
	}
	if (shape->power == SHAPE_POWER_CUT)
		part(s, _("the firmware can cut its power"));
	else if (shape->power == SHAPE_POWER_FORBIDDEN)
		part(s, _("the firmware could cut its power, but d3cold_allowed is 0"));
	else if (shape->power == SHAPE_POWER_STAYS && panels->n && !shape->panel)
		part(s, _("no power resource in the firmware can cut its power"));
}

void shape_describe(const struct shape *shape, const struct shape_panels *panels,
		    struct str *s)
{
	if (shape->removable)
		part(s, _("in a box outside of the machine"));
	if (shape->controller)
		part(s, shape->n_outputs ? _("3D controller")
					 : _("3D controller without outputs"));
	else if (shape->headless)
		part(s, _("without outputs"));
	describe_outputs(shape, panels, s);
	describe_power(shape, panels, s);
}
