/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "setting.h"

#include <errno.h>

static const char *const names[SETTING_KEYS] = {
	[SETTING_REBAR] = "rebar",
	[SETTING_RESET] = "reset",
	[SETTING_IDLE] = "idle",
	[SETTING_VGA] = "vga",
};

static const char *const idles[] = {
	[SETTING_IDLE_ON] = "on",
	[SETTING_IDLE_D3HOT] = "d3hot",
	[SETTING_IDLE_D3COLD] = "d3cold",
};

const char *setting_name(enum setting_key key)
{
	return names[key];
}

/* "1:16G" */
static bool parse_rebar(struct setting *s, const char *value)
{
	static const char units[] = "MGT";
	uint64_t bar, number;
	const char *unit;

	if (!str_take_uint(&value, 5, &bar) || !str_take_char(&value, ':') ||
	    !str_take_uint(&value, 1 << 20, &number) || !number ||
	    number & (number - 1) || !*value)
		return false;
	unit = strchr(units, *value);
	if (!unit || value[1])
		return false;
	s->bar = (uint8_t)bar;
	for (s->size = (uint8_t)((unit - units) * 10); number > 1; number >>= 1)
		s->size++;
	return true;
}

/* pci_reset_fn_methods of drivers/pci/pci.c */
static bool known_reset(const char *word, size_t len)
{
	static const char *const methods[] = { "device_specific", "acpi", "flr",
					       "af_flr",	  "pm",	  "bus",
					       "cxl_bus" };

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++)
		if (strlen(methods[i]) == len && !memcmp(methods[i], word, len))
			return true;
	return false;
}

/* "flr,bus" */
static bool parse_reset(struct setting *s, const char *value)
{
	struct str list = STR_ON(s->reset);
	size_t len;

	for (;; value += len + 1) {
		len = strcspn(value, ",");
		if (!known_reset(value, len) || str_has_word(s->reset, value, len))
			return false;
		str_add(&list, list.len ? " " : "");
		str_add_n(&list, value, len);
		if (!value[len])
			return true;
	}
}

static bool parse_idle(struct setting *s, const char *value)
{
	for (size_t i = 0; i < ARRAY_SIZE(idles); i++)
		if (str_equal(value, idles[i])) {
			s->idle = (uint8_t)i;
			return true;
		}
	return false;
}

static bool parse_vga(struct setting *s, const char *value)
{
	s->vga = str_equal(value, "yes");
	return s->vga || str_equal(value, "no");
}

int setting_parse(struct setting *s, const char *key, const char *value,
		  const char **ret_expected)
{
	static const struct {
		bool (*parse)(struct setting *s, const char *value);
		const char *expected;
	} keys[SETTING_KEYS] = {
		[SETTING_REBAR] = { parse_rebar,
				    "rebar: expected BAR:SIZE, a BAR from 0 to 5 and a "
				    "power of two with M, G or T" },
		[SETTING_RESET] = { parse_reset,
				    "reset: expected a comma list of device_specific, acpi, "
				    "flr, af_flr, pm, bus, cxl_bus" },
		[SETTING_IDLE] = { parse_idle, "idle: expected on, d3hot or d3cold" },
		[SETTING_VGA] = { parse_vga, "vga: expected yes or no" },
	};

	for (unsigned i = 0; i < SETTING_KEYS; i++) {
		if (!str_equal(key, names[i]))
			continue;
		if (setting_says(s, i))
			return -EEXIST;
		if (!keys[i].parse(s, value)) {
			*ret_expected = keys[i].expected;
			return -EINVAL;
		}
		s->keys |= (uint8_t)(1 << i);
		return 0;
	}
	return -ENOENT;
}

struct setting setting_merge(const struct setting *claim, const struct setting *function,
			     bool display)
{
	struct setting s = *claim;

	if (!display)
		s.keys &= (uint8_t) ~(1 << SETTING_REBAR);
	if (setting_says(function, SETTING_REBAR)) {
		s.bar = function->bar;
		s.size = function->size;
	}
	if (setting_says(function, SETTING_RESET))
		str_copy(s.reset, sizeof(s.reset), function->reset);
	if (setting_says(function, SETTING_IDLE))
		s.idle = function->idle;
	if (setting_says(function, SETTING_VGA))
		s.vga = function->vga;
	s.keys |= function->keys;
	return s;
}

void setting_add_size(struct str *s, unsigned size)
{
	unsigned unit = size < 20 ? size / 10 : 2;

	str_add_uint(s, 1ULL << (size - unit * 10));
	str_add_char(s, "MGT"[unit]);
}

void setting_add(struct str *s, const struct setting *setting, enum setting_key key)
{
	switch (key) {
	case SETTING_REBAR:
		str_add_uint(s, setting->bar);
		str_add_char(s, ':');
		setting_add_size(s, setting->size);
		break;
	case SETTING_RESET:
		for (const char *c = setting->reset; *c; c++)
			str_add_char(s, *c == ' ' ? ',' : *c);
		break;
	case SETTING_IDLE:
		str_add(s, idles[setting->idle]);
		break;
	default:
		str_add(s, setting->vga ? "yes" : "no");
		break;
	}
}
