/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Others who decide which card of a hybrid laptop is used: what they are set to, read
 * from their files. A claim wants the host on the other card, and its own neither taken
 * off the bus nor without power.
 */
#include <json-c/json.h>
#include <stdlib.h>

#include "doctor.h"
#include "slurp.h"

#define NVIDIA 0x10de
#define ANY_VENDOR 0
#define DISCRETE "etc/prime-discrete" /* of prime-select and of system76-power */
#define DOC "usr/share/doc"
#define GPUS_MAX (16 * 1024 * 1024)

/* What a mode does to a card that a claim names. */
enum mode {
	MODE_FINE, /* the host is on the other card, the card is there */
	MODE_NO_DRIVER, /* the same, and the host's drivers are kept off the card */
	MODE_HOST_ON_IT, /* the desktop runs on the card */
	MODE_PANEL, /* the inner panel is wired to the card */
	MODE_REMOVED, /* it is taken off the bus, or loses its power */
	MODE_CLAIMS, /* this tool gives it to vfio-pci by ids */
};

/* Display functions of a vendor; with `claimed`, only those that a claim names. */
static unsigned count_displays(const struct doctor *d, unsigned vendor, bool claimed)
{
	unsigned n = 0;

	for (size_t i = 0; i < d->machine.list.n; i++) {
		const struct pci_function *f = &d->machine.list.functions[i];

		n += f->known && pci_is_display(&f->ids) &&
		     (vendor == ANY_VENDOR || f->ids.vendor == vendor) &&
		     (!claimed || doctor_claimed(d, f->address));
	}
	return n;
}

/* A claim of other cards than the tool's has nothing to fear from it. */
static enum doctor_state state_of(const struct doctor *d, unsigned vendor)
{
	if (count_displays(d, vendor, true))
		return DOCTOR_PROBLEM;
	return count_displays(d, ANY_VENDOR, true) ? DOCTOR_OK : DOCTOR_WARNING;
}

static void say(struct doctor *d, enum mode mode, unsigned vendor, const char *tool,
		const char *where, const char *mend)
{
	static const char *const effects[] = {
		[MODE_FINE] = N_("the card is there, and the host is on the other one"),
		[MODE_NO_DRIVER] = N_("the card is there, and no driver of the host "
				      "takes it"),
		[MODE_HOST_ON_IT] = N_("the desktop is to run on the discrete card"),
		[MODE_PANEL] = N_("the inner panel is wired to the discrete card, and "
				  "dark while a guest has it"),
		[MODE_REMOVED] =
			N_("takes the discrete card off the bus or cuts its power"),
		[MODE_CLAIMS] = N_("gives the card to vfio-pci by its ids, besides "
				   "vfio-claim"),
	};
	const enum doctor_state state =
		mode <= MODE_NO_DRIVER ? DOCTOR_OK : state_of(d, vendor);

	doctor_say(d, state, "%s (%s): %s", tool, where, _(effects[mode]));
	if (state != DOCTOR_OK)
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

enum feature {
	FEATURE_UNKNOWN,
	FEATURE_LACKS,
	FEATURE_HAS,
};

static enum feature feature_of(struct json_object *chip, const char *feature)
{
	struct json_object *features;
	const char *name;

	if (!json_object_object_get_ex(chip, "features", &features) ||
	    !json_object_is_type(features, json_type_array))
		return FEATURE_UNKNOWN;
	for (size_t i = 0; i < json_object_array_length(features); i++) {
		name = json_object_get_string(json_object_array_get_idx(features, i));
		if (name && str_equal(name, feature))
			return FEATURE_HAS;
	}
	return FEATURE_LACKS;
}

/* Its `chips` name each card that the driver knows: devid "0x28A1", features [...]. */
static enum feature look_up(struct json_object *gpus, unsigned device,
			    const char *feature)
{
	struct json_object *chips, *chip, *id;

	if (!json_object_object_get_ex(gpus, "chips", &chips) ||
	    !json_object_is_type(chips, json_type_array))
		return FEATURE_UNKNOWN;
	for (size_t i = 0; i < json_object_array_length(chips); i++) {
		chip = json_object_array_get_idx(chips, i);
		if (json_object_object_get_ex(chip, "devid", &id) &&
		    json_object_is_type(id, json_type_string) &&
		    strtoul(json_object_get_string(id), NULL, 16) == device)
			return feature_of(chip, feature);
	}
	return FEATURE_UNKNOWN;
}

/* The list of cards that comes with NVIDIA's driver; "" unless there is exactly one. */
static void find_gpus(struct doctor *d, char *path, size_t size)
{
	char found[FS_PATH_MAX];
	struct name_list names;
	unsigned n = 0;

	*path = '\0';
	if (name_list_read(d->root, DOC, &names) < 0)
		return;
	for (size_t i = 0; i < names.n; i++) {
		struct str s = STR_ON(found);

		if (!strstr(names.names[i], "nvidia-kernel-common") &&
		    !strstr(names.names[i], "nvidia-driver-"))
			continue;
		str_join(&s, DOC "/", names.names[i], "/supported-gpus.json", NULL);
		if (!s.cut && doctor_exists(d, found) && n++ == 0)
			str_copy(path, size, found);
	}
	name_list_finish(&names);
	if (n > 1)
		*path = '\0';
}

/* Whether the first NVIDIA card can save power while it runs. */
static enum feature runtimepm(struct doctor *d)
{
	const struct pci_function *f = d->machine.list.functions;
	const struct pci_function *end = f + d->machine.list.n;
	struct json_object *gpus;
	char path[FS_PATH_MAX], *text;
	enum feature found;
	size_t len;

	while (f < end &&
	       !(f->known && pci_is_display(&f->ids) && f->ids.vendor == NVIDIA))
		f++;
	find_gpus(d, path, sizeof(path));
	if (f == end || !*path || slurp(d->root, path, GPUS_MAX, &text, &len) < 0)
		return FEATURE_UNKNOWN;
	gpus = json_tokener_parse(text);
	found = look_up(gpus, f->ids.device, "runtimepm");
	json_object_put(gpus);
	free(text);
	return found;
}

/* can_switch() in src/graphics.rs: a laptop with an NVIDIA card beside another one. */
static bool switchable(struct doctor *d)
{
	const unsigned nvidia = count_displays(d, NVIDIA, false);

	return nvidia && nvidia < count_displays(d, ANY_VENDOR, false) &&
	       (doctor_read(d, "sys/class/dmi/id/chassis_type") < 0 ||
		!str_equal(d->text, "3\n"));
}

/*
 * auto_power() there: without the module of an NVIDIA driver, and a card that vfio-pci
 * holds lets none stay, the daemon believes in its mode integrated whatever is set, and
 * takes a card that cannot save power off the bus when it starts.
 */
static void system76_daemon(struct doctor *d)
{
	const unsigned claimed = count_displays(d, NVIDIA, true);

	if (!claimed || claimed < count_displays(d, NVIDIA, false) || !switchable(d) ||
	    runtimepm(d) != FEATURE_LACKS)
		return;
	doctor_say(d, DOCTOR_PROBLEM,
		   _("system76-power: its daemon takes this card off the bus, from "
		     "vfio-pci, too: it cannot save power while it runs, and no NVIDIA "
		     "driver is loaded while it is claimed"));
	doctor_mend(d, "systemctl mask com.system76.PowerDaemon.service");
}

/*
 * set_vendor() there: the file of modules says integrated and compute, the other one
 * hybrid and nvidia; without it, and that is how it is installed, nvidia.
 */
static void system76_power(struct doctor *d)
{
	const char *modules = "etc/modprobe.d/system76-power.conf";
	const char *hybrid = "system76-power graphics hybrid";

	if (!doctor_exists(d, "usr/bin/system76-power"))
		return;
	if (has_line(d, modules, "blacklist nouveau"))
		say(d, runtimepm(d) == FEATURE_HAS ? MODE_NO_DRIVER : MODE_REMOVED,
		    NVIDIA, "system76-power", _("mode integrated"), hybrid);
	else if (has_line(d, modules, "blacklist nvidia-drm"))
		say(d, MODE_FINE, NVIDIA, "system76-power", _("mode compute"), "");
	else if (has_line(d, DISCRETE, "on-demand"))
		say(d, MODE_FINE, NVIDIA, "system76-power", _("mode hybrid"), "");
	else if (has_line(d, DISCRETE, "on") ||
		 (!doctor_exists(d, DISCRETE) && switchable(d)))
		say(d, MODE_HOST_ON_IT, NVIDIA, "system76-power", _("mode nvidia"),
		    hybrid);
	system76_daemon(d);
}

static void prime_select(struct doctor *d)
{
	/* there its file is system76-power's */
	if (!doctor_exists(d, "usr/bin/prime-select") ||
	    doctor_exists(d, "usr/bin/system76-power"))
		return;
	if (has_line(d, DISCRETE, "on-demand"))
		say(d, MODE_FINE, NVIDIA, "prime-select", _("on-demand"), "");
	else if (has_line(d, DISCRETE, "on"))
		say(d, MODE_HOST_ON_IT, NVIDIA, "prime-select", "nvidia",
		    "prime-select on-demand");
	else if (has_line(d, DISCRETE, "off"))
		say(d, MODE_REMOVED, NVIDIA, "prime-select", "intel",
		    "prime-select on-demand");
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
			say(d, modes[i].mode, ANY_VENDOR, "supergfxctl", name,
			    "supergfxctl --mode Hybrid");
	json_object_put(o);
}

/* Documentation/ABI/testing/sysfs-platform-asus-wmi */
static void asus(struct doctor *d)
{
#define WMI "sys/devices/platform/asus-nb-wmi/"
	if (doctor_read(d, WMI "gpu_mux_mode") == 0 && str_starts(d->text, "0"))
		say(d, MODE_PANEL, ANY_VENDOR, "asus-nb-wmi", "gpu_mux_mode 0",
		    "echo 1 | sudo tee /" WMI "gpu_mux_mode");
	if (doctor_read(d, WMI "dgpu_disable") == 0 && str_starts(d->text, "1"))
		say(d, MODE_REMOVED, ANY_VENDOR, "asus-nb-wmi", "dgpu_disable 1",
		    "echo 0 | sudo tee /" WMI "dgpu_disable");
#undef WMI
}

/* ---- envycontrol, optimus-manager, bbswitch */

static void envycontrol(struct doctor *d)
{
	if (doctor_exists(d, "etc/udev/rules.d/50-remove-nvidia.rules") ||
	    doctor_exists(d, "usr/lib/udev/rules.d/50-remove-nvidia.rules"))
		say(d, MODE_REMOVED, NVIDIA, "envycontrol", "integrated",
		    "envycontrol --switch hybrid");
	else if (doctor_read(d, "etc/X11/xorg.conf") == 0 &&
		 strstr(d->text, "EnvyControl"))
		say(d, MODE_HOST_ON_IT, NVIDIA, "envycontrol", "nvidia",
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
		say(d, MODE_HOST_ON_IT, NVIDIA, "optimus-manager", "startup_mode=nvidia",
		    _("startup_mode=integrated in "
		      "/etc/optimus-manager/optimus-manager.conf"));
	if (str_equal(key, "switching") &&
	    (str_equal(value, "bbswitch") || str_equal(value, "acpi_call")))
		say(d, MODE_REMOVED, NVIDIA, "optimus-manager", value,
		    _("switching=none in /etc/optimus-manager/optimus-manager.conf"));
}

static void bbswitch(struct doctor *d)
{
	if (doctor_exists(d, "sys/module/bbswitch"))
		say(d, MODE_REMOVED, NVIDIA, "bbswitch", _("is loaded"),
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
	doctor_say(d, state_of(d, NVIDIA),
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
	asus(d);
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
