/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What writes do: the driver core. */
#include <errno.h>
#include <string.h>

#include "fake.h"

/* pci_match_device() */
static bool matches(const struct fake_driver *d, const struct fake_function *fn)
{
	if (fn->absent || fn->matches_at)
		return false;
	if (fn->override[0])
		return str_equal(fn->override, d->name);
	return d->mask && (fn->ids.class & d->mask) == d->class &&
	       (!d->vendor || d->vendor == fn->ids.vendor);
}

/* vfio_pci_core_register_device(), vfio_pci_probe() */
static int vfio_refuses(const struct fake_function *fn)
{
	if (fn->header_type != 0 || fn->group == FAKE_NONE)
		return -EINVAL;
	return fn->numvfs > 0 ? -EBUSY : 0;
}

static int probe(struct fake *f, const struct fake_driver *d, struct fake_function *fn)
{
	int r = str_equal(d->name, "vfio-pci") ? vfio_refuses(fn) : 0;

	if (r == 0)
		r = -d->probe_error;
	if (r < 0)
		return r;
	str_copy(fn->driver, sizeof(fn->driver), d->name);
	/* vfio_pci_core_register_device(): pm_runtime_allow() */
	if (str_equal(d->name, "vfio-pci"))
		fn->awake = false;
	if (str_equal(d->name, "vfio-pci") && !fn->bound_at)
		fn->bound_at = f->accesses;
	/* vfio_pci_vga_init(): only VGA, and not before 6.0 */
	if (str_equal(d->name, "vfio-pci") && fn->ids.class >> 8 == 0x0300 &&
	    f->release[0] >= '6' && f->framebuffer.driver)
		f->framebuffer.bound = false;
	return 0;
}

/* device_attach() */
void fake_core_attach(struct fake *f, struct fake_function *fn)
{
	for (unsigned i = 0; i < f->n_drivers && !fn->driver[0]; i++)
		if (f->drivers[i].loaded && matches(&f->drivers[i], fn))
			(void)probe(f, &f->drivers[i], fn);
}

/* driver_attach() */
int fake_core_load(struct fake *f, const char *name)
{
	struct fake_driver *d = fake_driver(f, name);

	if (f->load_error)
		return -f->load_error;
	if (!d || !d->loadable)
		return -ENOENT;
	d->loaded = true;
	if (str_equal(name, "vfio-pci"))
		f->unsafe_mode = f->unsafe_loaded;
	for (unsigned i = 0; i < f->n_functions; i++)
		if (!f->functions[i].driver[0] && matches(d, &f->functions[i]))
			(void)probe(f, d, &f->functions[i]);
	return 0;
}

/* driver_set_override() */
static int set_override(struct fake_function *fn, const char *data, size_t len)
{
	const char *newline = memchr(data, '\n', len);
	size_t n = newline ? (size_t)(newline - data) : len;

	if (n >= sizeof(fn->override))
		return -EINVAL;
	memcpy(fn->override, data, n);
	fn->override[n] = '\0';
	return 0;
}

/* bind_store(), device_driver_attach() */
static int bind(struct fake *f, const struct fake_driver *d, struct fake_function *fn)
{
	int r;

	if (!matches(d, fn))
		return -ENODEV;
	if (fn->driver[0])
		return -EBUSY;
	r = probe(f, d, fn);
	return r == -FAKE_DEFER ? -EAGAIN : r;
}

static int unbind(const struct fake_driver *d, struct fake_function *fn)
{
	if (!str_equal(fn->driver, d->name))
		return -ENODEV;
	/* vfio_pci_core_unregister_device(): pm_runtime_forbid() */
	if (str_equal(fn->driver, "vfio-pci"))
		fn->awake = true;
	fn->driver[0] = '\0';
	return 0;
}

static struct fake_function *named(struct fake *f, const char *data, size_t len)
{
	int i;

	if (len && data[len - 1] == '\n')
		len--;
	i = fake_find(f, data, len);
	if (i < 0)
		return NULL;
	f->functions[i].touched = true;
	return &f->functions[i];
}

static int write_driver(struct fake *f, const char *rest, const char *data, size_t len)
{
	const char *leaf = strchr(rest, '/');
	struct fake_function *fn;
	struct fake_driver *d = NULL;

	for (unsigned i = 0; leaf && i < f->n_drivers; i++)
		if (strlen(f->drivers[i].name) == (size_t)(leaf - rest) &&
		    str_starts(rest, f->drivers[i].name))
			d = &f->drivers[i];
	if (!d || !d->loaded)
		return -ENOENT;
	fn = named(f, data, len);
	if (!fn)
		return -ENODEV;
	if (str_equal(leaf, "/bind"))
		return bind(f, d, fn);
	return str_equal(leaf, "/unbind") ? unbind(d, fn) : -ENOENT;
}

static int write_framebuffer(struct fake *f, const char *rest, const char *data,
			     size_t len)
{
	struct fake_framebuffer *fb = &f->framebuffer;
	size_t n = fb->driver ? strlen(fb->driver) : 0;
	bool bound;

	if (!n || !str_starts(rest, fb->driver) || rest[n] != '/')
		return -ENOENT;
	if (len != strlen(fb->device) || memcmp(data, fb->device, len))
		return -ENODEV;
	bound = fb->bound;
	if (str_equal(rest + n, "/bind")) {
		fb->bound = true;
		return bound ? -EBUSY : 0;
	}
	if (!str_equal(rest + n, "/unbind"))
		return -ENOENT;
	fb->bound = false;
	return bound ? 0 : -ENODEV;
}

/* The number of a line, without its newline. False if it is none. */
static bool number(const char *data, size_t len, uint64_t *ret)
{
	char text[16];
	const char *p = text;

	if (len && data[len - 1] == '\n')
		len--;
	if (len >= sizeof(text))
		return false;
	memcpy(text, data, len);
	text[len] = '\0';
	return str_take_uint(&p, 63, ret) && !*p;
}

/* resource_resize_store(), pci_resize_resource() */
static int resize(struct fake_function *fn, const char *data, size_t len)
{
	uint64_t size;

	if (!number(data, len, &size))
		return -EINVAL;
	/* while it is plugged in, the kernel itself still gives the bus its resources */
	if (fn->driver[0] || fn->matches_at)
		return -EBUSY;
	if (!(fn->rebar_sizes >> size & 1))
		return -EINVAL;
	if (size > fn->rebar_room)
		return -ENOSPC;
	fn->rebar_size = (uint8_t)size;
	return 0;
}

/*
 * reset_method_store(): all of it or nothing; an empty line switches all off, "default"
 * on.
 */
static int set_resets(struct fake_function *fn, const char *data, size_t len)
{
	char text[64], list[64] = "", word[66];
	char *rest = text, *name;

	if (len >= sizeof(text))
		return -EINVAL;
	memcpy(text, data, len);
	text[len - (data[len - 1] == '\n')] = '\0';
	if (str_equal(text, "default")) {
		memcpy(fn->reset_method, fn->resets + 1, strlen(fn->resets) - 2);
		fn->reset_method[strlen(fn->resets) - 2] = '\0';
		return 0;
	}
	while ((name = strsep(&rest, " "))) {
		if (!*name)
			continue;
		snprintf(word, sizeof(word), " %s ", name);
		if (!strstr(fn->resets, word))
			return -EINVAL;
		strcat(strcat(list, *list ? " " : ""), name);
	}
	strcpy(fn->reset_method, list);
	return 0;
}

/* control_store() of drivers/base/power/sysfs.c */
static int set_control(struct fake_function *fn, const char *data, size_t len)
{
	const bool on = len >= 2 && memcmp(data, "on", 2) == 0;

	if (!on && (len < 4 || memcmp(data, "auto", 4)))
		return -EINVAL;
	fn->awake = on;
	return 0;
}

static int write_device(struct fake_function *fn, const char *leaf, const char *data,
			size_t len)
{
	char resource[] = "resource0_resize";
	uint64_t value;

	resource[8] = (char)('0' + fn->rebar_bar);
	if (str_equal(leaf, "driver_override"))
		return set_override(fn, data, len);
	if (str_equal(leaf, resource) && fn->rebar_sizes)
		return resize(fn, data, len);
	if (str_equal(leaf, "reset_method"))
		return fn->resets ? set_resets(fn, data, len) : -ENOENT;
	if (str_equal(leaf, "power/control"))
		return set_control(fn, data, len);
	if (!str_equal(leaf, "d3cold_allowed"))
		return -EACCES;
	if (!number(data, len, &value))
		return -EINVAL;
	fn->d3cold_allowed = value;
	return 0;
}

static int write_log(struct fake *f, const char *data, size_t len)
{
	if (f->n_log == FAKE_LOG_LINES || len >= sizeof(f->log[0]))
		return -ENOSPC;
	memcpy(f->log[f->n_log], data, len);
	f->log[f->n_log++][len] = '\0';
	return 0;
}

int fake_core_write(struct fake *f, const char *path, const char *data, size_t len)
{
	static const char devices[] = PCI_DEVICES "/", drivers[] = PCI_DRIVERS "/",
			  platform[] = "sys/bus/platform/drivers/";
	struct fake_function *fn;
	size_t n;
	int i;

	/* kernfs_fop_write_iter() has nothing to hand over */
	if (len == 0)
		return 0;
	if (str_equal(path, "dev/kmsg"))
		return write_log(f, data, len);
	f->writes++;
	if (str_equal(path, "sys/bus/pci/drivers_probe")) {
		fn = named(f, data, len);
		if (!fn)
			return -EINVAL;
		fake_core_attach(f, fn);
		return 0;
	}
	if (str_starts(path, drivers))
		return write_driver(f, path + strlen(drivers), data, len);
	if (str_starts(path, platform))
		return write_framebuffer(f, path + strlen(platform), data, len);
	if (!str_starts(path, devices))
		return -EACCES;
	path += strlen(devices);
	n = strcspn(path, "/");
	i = fake_find(f, path, n);
	if (i < 0 || !path[n])
		return -ENOENT;
	f->functions[i].touched = true;
	return write_device(&f->functions[i], path + n + 1, data, len);
}
