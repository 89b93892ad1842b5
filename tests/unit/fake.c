/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Setting a machine up, and faults. Its files are in fake_files.c, what can be mounted in
 * fake_volumes.c, what writes do in fake_core.c.
 */
#include "fake.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>

struct fake *fake_of(struct fs *fs)
{
	return (struct fake *)fs;
}

/* ---- faults: every access goes through begin() and end() */

static bool hit(struct fake *f, struct fake_fault *fault, const char *path)
{
	if (!fault->error)
		return false;
	if (!fault->path && fault->at != f->accesses)
		return false;
	if (fault->path &&
	    (!strstr(path, fault->path) || (fault->skip && fault->skip--) ||
	     (fault->times && fault->fired >= fault->times)))
		return false;
	fault->fired++;
	fault->fired_at = f->accesses;
	str_copy(f->hit_path, sizeof(f->hit_path), path);
	return true;
}

jmp_buf *fake_power_cut;

static void cut_power(void)
{
	if (fake_power_cut)
		longjmp(*fake_power_cut, 1);
	raise(SIGKILL);
}

static void pull(struct fake_function *fn)
{
	fn->absent = true;
	fn->goes_at = fn->matches_at = 0;
}

static void plug(struct fake_function *fn)
{
	fn->absent = false;
	fn->shows_at = 0;
	fn->driver[0] = fn->override[0] = '\0';
}

/* What comes and goes by itself meanwhile. */
static void move_on(struct fake *f)
{
	for (struct fake_function *fn = f->functions; fn < f->functions + f->n_functions;
	     fn++) {
		if (fn->goes_at && fn->goes_at <= f->accesses)
			pull(fn);
		if (fn->shows_at && fn->shows_at <= f->accesses)
			plug(fn);
		if (fn->absent || !fn->matches_at || fn->matches_at > f->accesses)
			continue;
		fn->matches_at = 0;
		fake_core_attach(f, fn);
	}
}

void fake_pull(struct fake *f, const char *address)
{
	pull(fake_at(f, address));
}

void fake_plug(struct fake *f, const char *address, unsigned delay)
{
	for (unsigned i = 0; i < f->n_functions; i++) {
		struct fake_function *fn = &f->functions[i];
		char name[PCI_ADDRESS_LEN];
		struct str s = STR_ON(name);

		pci_address_add(&s, fn->address);
		if (!str_equal(name, address))
			continue;
		plug(fn);
		fn->matches_at = f->accesses + delay;
		if (!delay)
			move_on(f);
	}
}

struct fake_fault *fake_begin(struct fake *f, const char *path)
{
	f->accesses++;
	move_on(f);
	if (f->kill_at == f->accesses && !f->kill_after)
		cut_power();
	for (unsigned i = 0; i < FAKE_FAULTS; i++)
		if (hit(f, &f->faults[i], path))
			return &f->faults[i];
	return NULL;
}

int fake_end(struct fake *f, const struct fake_fault *fault, int r)
{
	if (f->kill_at == f->accesses && f->kill_after)
		cut_power();
	return fault ? -fault->error : r;
}

/* ---- setting up */

void fake_init(struct fake *f)
{
	static const struct fake_driver drivers[] = {
		{ .name = "pcieport",
		  .loaded = true,
		  .class = 0x060400,
		  .mask = 0xffff00 },
		{ .name = "xhci_hcd",
		  .loaded = true,
		  .class = 0x0c0330,
		  .mask = 0xffffff },
		{ .name = "vfio-pci", .loadable = true },
		{ .name = "nouveau",
		  .loadable = true,
		  .vendor = 0x10de,
		  .class = 0x030000,
		  .mask = 0xff0000 },
		{ .name = "i915",
		  .loadable = true,
		  .vendor = 0x8086,
		  .class = 0x030000,
		  .mask = 0xff0000 },
		{ .name = "snd_hda_intel",
		  .loadable = true,
		  .class = 0x040300,
		  .mask = 0xffff00 },
	};

	memset(f, 0, sizeof(*f));
	f->fs = (struct fs){ .ops = &fake_files, .root_fd = -1 };
	str_copy(f->release, sizeof(f->release), "6.1.0-test");
	memcpy(f->drivers, drivers, sizeof(drivers));
	f->n_drivers = ARRAY_SIZE(drivers);
	f->iommu = true;
	f->group_type = "DMA-FQ";
	f->unsafe_loaded = "N";
	f->modules = true;
	f->no_override = "(null)";
	f->cmdline = "BOOT_IMAGE=/vmlinuz root=/dev/sda1 quiet";
	f->conf_meta = (struct fs_meta){ .uid = 0, .mode = S_IFREG | 0644 };
	f->volumes[0].type = "efivarfs";
	f->n_volumes = 1;
}

int fake_find(const struct fake *f, const char *text, size_t len)
{
	char name[PCI_ADDRESS_LEN];
	struct pci_address a;

	if (len >= sizeof(name))
		return FAKE_NONE;
	memcpy(name, text, len);
	name[len] = '\0';
	if (!pci_address_parse(name, &a))
		return FAKE_NONE;
	for (unsigned i = 0; i < f->n_functions; i++)
		if (!f->functions[i].absent &&
		    pci_address_compare(f->functions[i].address, a) == 0)
			return (int)i;
	return FAKE_NONE;
}

struct fake_function *fake_add(struct fake *f, const char *address, const char *parent,
			       const char *id, const char *subsystem, uint32_t class,
			       int group)
{
	struct fake_function *fn = &f->functions[f->n_functions];

	*fn = (struct fake_function){ .parent = FAKE_NONE,
				      .group = group,
				      .numvfs = FAKE_NONE,
				      .d3cold_allowed = true,
				      .awake = true };
	fn->ids.class = class;
	fn->header_type = class >> 8 == 0x0604;
	if (f->n_functions == FAKE_FUNCTIONS ||
	    !pci_address_parse(address, &fn->address) ||
	    !pci_id_parse(id, &fn->ids.vendor, &fn->ids.device) ||
	    !pci_id_parse(subsystem, &fn->ids.subvendor, &fn->ids.subdevice))
		raise(SIGABRT);
	if (parent)
		fn->parent = fake_find(f, parent, strlen(parent));
	f->n_functions++;
	fake_core_attach(f, fn);
	return fn;
}

void fake_add_offers(struct fake_function *fn)
{
	fn->rebar_bar = 1;
	fn->rebar_sizes = 0x7f00;
	fn->rebar_size = 8;
	fn->rebar_room = 14;
	fn->resets = " flr bus ";
	str_copy(fn->reset_method, sizeof(fn->reset_method), "flr bus");
	fn->power = true;
}

struct fake_function *fake_at(struct fake *f, const char *address)
{
	int i = fake_find(f, address, strlen(address));

	if (i < 0)
		raise(SIGABRT);
	return &f->functions[i];
}

struct fake_driver *fake_driver(struct fake *f, const char *name)
{
	for (unsigned i = 0; i < f->n_drivers; i++)
		if (str_equal(f->drivers[i].name, name))
			return &f->drivers[i];
	return NULL;
}

void fake_overlay(struct fake *f, const char *path, const char *text)
{
	for (unsigned i = 0; i < FAKE_OVERLAYS; i++) {
		if (f->overlays[i].path)
			continue;
		f->overlays[i] =
			(struct fake_overlay){ path, text, text ? strlen(text) : 0 };
		return;
	}
	raise(SIGABRT);
}

struct fake_fault *fake_fail(struct fake *f, const char *path, int error, unsigned times)
{
	for (unsigned i = 0; i < FAKE_FAULTS; i++) {
		if (f->faults[i].error)
			continue;
		f->faults[i] = (struct fake_fault){ .path = path,
						    .error = error,
						    .times = times };
		return &f->faults[i];
	}
	raise(SIGABRT);
	return NULL;
}

/* module_param(), when it is loaded */
static void set_parameters(struct fake *f, const char *const *parameters)
{
	f->disable_vga = f->no_vfio_vga ? NULL : "N";
	f->disable_idle_d3 = "N";
	for (; *parameters; parameters++) {
		const char *value = strchr(*parameters, '=')[1] == '1' ? "Y" : "N";

		if (str_starts(*parameters, "disable_idle_d3="))
			f->disable_idle_d3 = value;
		else if (str_starts(*parameters, "disable_vga=") && !f->no_vfio_vga)
			f->disable_vga = value;
	}
}

static int fake_load(struct module_loader *loader, const char *name)
{
	struct fake *f = fake_of(loader->fs);
	const struct fake_fault *fault = fake_begin(f, "load");
	int r = 0;

	f->loads++;
	if (!fault || fault->after)
		r = fake_core_load(f, name);
	if (r == 0 && str_equal(name, "vfio-pci"))
		set_parameters(f, loader->parameters);
	return fake_end(f, fault, r);
}

struct module_loader fake_loader(struct fake *f)
{
	return (struct module_loader){ .load = fake_load,
				       .fs = &f->fs,
				       .release = f->release };
}
