/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Others who decide which card of a hybrid laptop is used: what they are set to, read
 * from their files. A claim wants the host on the other card, and its own neither taken
 * off the bus nor without power.
 */
#include <json-c/json.h>

#include "doctor.h"

#define NVIDIA 0x10de
#define DISCRETE "etc/prime-discrete" /* of prime-select and of system76-power */

/* What a mode does to a card that a claim names. */
enum mode {
	MODE_FINE, /* the host is on the other card, the card is there */
	MODE_HOST_ON_IT, /* the desktop runs on the card */
	MODE_REMOVED, /* it is taken off the bus, or loses its power */
	MODE_CLAIMS, /* this tool gives it to vfio-pci by ids */
};

static bool claims_nvidia(const struct doctor *d)
{
	for (size_t i = 0; i < d->machine.list.n; i++) {
		const struct pci_function *f = &d->machine.list.functions[i];

		if (f->known && f->ids.vendor == NVIDIA && pci_is_display(&f->ids) &&
		    doctor_claimed(d, f->address))
			return true;
	}
	return false;
}

static void say(struct doctor *d, enum mode mode, const char *tool, const char *where,
		const char *mend)
{
	static const char *const effects[] = {
		[MODE_FINE] = N_("the card is there, and the host is on the other one"),
		[MODE_HOST_ON_IT] = N_("the desktop is to run on the NVIDIA card"),
		[MODE_REMOVED] =
			N_("takes the NVIDIA card off the bus or cuts its power"),
		[MODE_CLAIMS] = N_("gives the card to vfio-pci by its ids, besides "
				   "vfio-claim"),
	};
	const bool bad = mode != MODE_FINE && claims_nvidia(d);

	doctor_say(d,
		   bad		       ? DOCTOR_PROBLEM
		   : mode == MODE_FINE ? DOCTOR_OK
				       : DOCTOR_WARNING,
		   "%s (%s): %s", tool, where, _(effects[mode]));
	if (mode != MODE_FINE)
		doctor_mend(d, "%s", mend);
}

/* ---- prime-select, system76-power */

static bool has_line(struct doctor *d, const char *path, const char *line)
{
	const size_t len = strlen(line);
	const char *p;

	if (doctor_read(d, path) < 0)
		return false;
	for (p = d->text; (p = strstr(p, line)); p += len)
		if ((p == d->text || p[-1] == '\n') && (!p[len] || p[len] == '\n'))
			return true;
	return false;
}

/* src/graphics.rs of its source: the file of modules says integrated and compute, the
 * other one hybrid and nvidia. */
static void system76_power(struct doctor *d)
{
	const char *modules = "etc/modprobe.d/system76-power.conf";

	if (!doctor_exists(d, "usr/bin/system76-power"))
		return;
	if (has_line(d, modules, "blacklist nouveau"))
		say(d, MODE_REMOVED, "system76-power", _("mode integrated"),
		    "system76-power graphics hybrid");
	else if (has_line(d, modules, "blacklist nvidia-drm"))
		say(d, MODE_FINE, "system76-power", _("mode compute"), "");
	else if (has_line(d, DISCRETE, "on-demand"))
		say(d, MODE_FINE, "system76-power", _("mode hybrid"), "");
	else if (has_line(d, DISCRETE, "on"))
		say(d, MODE_HOST_ON_IT, "system76-power", _("mode nvidia"),
		    "system76-power graphics hybrid");
}

static void prime_select(struct doctor *d)
{
	/* there its file is system76-power's */
	if (!doctor_exists(d, "usr/bin/prime-select") ||
	    doctor_exists(d, "usr/bin/system76-power"))
		return;
	if (has_line(d, DISCRETE, "on-demand"))
		say(d, MODE_FINE, "prime-select", _("on-demand"), "");
	else if (has_line(d, DISCRETE, "on"))
		say(d, MODE_HOST_ON_IT, "prime-select", "nvidia",
		    "prime-select on-demand");
	else if (has_line(d, DISCRETE, "off"))
		say(d, MODE_REMOVED, "prime-select", "intel", "prime-select on-demand");
}

/* ---- supergfxctl */

static void supergfxctl(struct doctor *d)
{
	static const struct {
		const char *name;
		enum mode mode;
	} modes[] = {
		{ "Hybrid", MODE_FINE },	  { "Compute", MODE_FINE },
		{ "Integrated", MODE_REMOVED },	  { "NvidiaNoModeset", MODE_FINE },
		{ "Dedicated", MODE_HOST_ON_IT }, { "AsusMuxDgpu", MODE_HOST_ON_IT },
		{ "Vfio", MODE_CLAIMS },
	};
	struct json_object *o, *value;
	const char *name = NULL;

	if (doctor_read(d, "etc/supergfxd.conf") < 0)
		return;
	o = json_tokener_parse(d->text);
	if (json_object_is_type(o, json_type_object) &&
	    json_object_object_get_ex(o, "mode", &value))
		name = json_object_get_string(value);
	for (size_t i = 0; name && i < ARRAY_SIZE(modes); i++)
		if (str_equal(name, modes[i].name))
			say(d, modes[i].mode, "supergfxctl", name,
			    "supergfxctl --mode Hybrid");
	json_object_put(o);
}

/* ---- envycontrol, optimus-manager, bbswitch */

static void envycontrol(struct doctor *d)
{
	if (doctor_exists(d, "etc/udev/rules.d/50-remove-nvidia.rules") ||
	    doctor_exists(d, "usr/lib/udev/rules.d/50-remove-nvidia.rules"))
		say(d, MODE_REMOVED, "envycontrol", "integrated",
		    "envycontrol --switch hybrid");
	else if (doctor_read(d, "etc/X11/xorg.conf") == 0 &&
		 strstr(d->text, "EnvyControl"))
		say(d, MODE_HOST_ON_IT, "envycontrol", "nvidia",
		    "envycontrol --switch hybrid");
}

static void take_optimus(struct doctor *d, void *arg, const struct doctor_line *line)
{
	char key[32], value[32];
	const char *equals = strchr(line->text, '=');
	struct str k = STR_ON(key), v = STR_ON(value);
	const char *p;

	(void)arg;
	if (!equals)
		return;
	str_add_n(&k, line->text, strcspn(line->text, " \t="));
	p = equals + 1 + strspn(equals + 1, " \t");
	str_add_n(&v, p, strcspn(p, " \t"));
	if (str_equal(key, "startup_mode") && str_equal(value, "nvidia"))
		say(d, MODE_HOST_ON_IT, "optimus-manager", "startup_mode=nvidia",
		    _("startup_mode=integrated in "
		      "/etc/optimus-manager/optimus-manager.conf"));
	if (str_equal(key, "switching") &&
	    (str_equal(value, "bbswitch") || str_equal(value, "acpi_call")))
		say(d, MODE_REMOVED, "optimus-manager", value,
		    _("switching=none in /etc/optimus-manager/optimus-manager.conf"));
}

static void bbswitch(struct doctor *d)
{
	if (doctor_exists(d, "sys/module/bbswitch"))
		say(d, MODE_REMOVED, "bbswitch", _("is loaded"),
		    _("remove it and what loads it: bbswitch-dkms, bumblebee"));
}

/* ---- rules that take functions off the bus */

static void take_rule(struct doctor *d, void *arg, const struct doctor_line *line)
{
	char *last = arg; /* once a file is enough */

	if (!strstr(line->text, "ATTR{remove}=\"1\"") ||
	    !strstr(line->text, "\"0x10de\"") || str_equal(last, line->path))
		return;
	str_copy(last, FS_PATH_MAX, line->path);
	doctor_say(d, claims_nvidia(d) ? DOCTOR_PROBLEM : DOCTOR_WARNING,
		   _("/%s:%u: takes functions of NVIDIA cards off the bus, so that a "
		     "claim finds them absent"),
		   line->path, line->line);
	doctor_mend(d,
		    _("an empty file of that name in /etc/udev/rules.d switches it "
		      "off; then: %s"),
		    doctor_rebuild(d));
}

void doctor_switchers(struct doctor *d)
{
	char last[FS_PATH_MAX] = "";
	const size_t before = d->n;

	system76_power(d);
	prime_select(d);
	supergfxctl(d);
	envycontrol(d);
	doctor_lines(d, "etc/optimus-manager/optimus-manager.conf", false, take_optimus,
		     NULL);
	bbswitch(d);
	doctor_lines_below(d, "etc/udev/rules.d", ".rules", true, take_rule, last);
	doctor_lines_below(d, "usr/lib/udev/rules.d", ".rules", true, take_rule, last);
	if (doctor_exists(d, "usr/libexec/switcheroo-control"))
		doctor_say(d, DOCTOR_OK,
			   _("switcheroo-control: only starts programs on a card"));
	if (d->n == before)
		doctor_say(
			d, DOCTOR_OK,
			_("none of system76-power, prime-select, supergfxctl, "
			  "envycontrol, optimus-manager and bbswitch, and no udev rule "
			  "that removes functions"));
}
