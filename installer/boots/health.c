/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "health.h"

#include "driver.h"

#define DRM "sys/class/drm"
#define CONSOLES "sys/class/vtconsole"

bool health_each(const struct report *boot, health_fn *fn, void *arg, struct str *why)
{
	char text[160];

	for (unsigned c = 0; c < boot->n_claims; c++) {
		const struct report_claim *claim = &boot->claims[c];

		if (claim->outcome != OUTCOME_CLAIMED)
			continue;
		for (unsigned i = claim->first; i < claim->first + claim->n; i++) {
			const struct report_function *f = &boot->functions[i];
			struct str what = STR_ON(text);

			if (f->optional &&
			    (!f->found || !str_equal(f->driver, "vfio-pci")))
				continue;
			if (f->found && fn(arg, f, &what))
				continue;
			if (!f->found)
				str_add(&what, "was removed");
			str_join(why, "the claim ", claim->name,
				 " does not hold: ", NULL);
			pci_address_add(why, f->found ? f->address : f->configured);
			str_join(why, " ", text, NULL);
			return false;
		}
	}
	return true;
}

static bool is_on_vfio(void *arg, const struct report_function *f, struct str *what)
{
	char driver[PCI_DRIVER_LEN] = "";

	if (driver_current(arg, f->address, driver) == 0 && str_equal(driver, "vfio-pci"))
		return true;
	str_add(what, "is not on vfio-pci any more");
	if (*driver)
		str_join(what, ", but on ", driver, NULL);
	return false;
}

struct displays {
	struct fs *root;
	bool driver; /* a DRM driver of the host runs */
	bool connected; /* and has a screen */
	bool console; /* a framebuffer console is on */
};

static bool reads(struct fs *root, const char *folder, const char *name, const char *leaf,
		  char *buf, size_t size)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, folder, "/", name, "/", leaf, NULL);
	return !s.cut && fs_read_text(root, path, buf, size) == 0;
}

/* "card0" is a driver's, "card0-HDMI-A-1" one of its connectors. */
static int visit_drm(void *arg, const char *name)
{
	struct displays *d = arg;
	char status[32];

	if (!str_starts(name, "card"))
		return 0;
	d->driver = true;
	if (strchr(name, '-') &&
	    reads(d->root, DRM, name, "status", status, sizeof(status)) &&
	    str_equal(status, "connected"))
		d->connected = true;
	return 0;
}

static int visit_console(void *arg, const char *name)
{
	struct displays *d = arg;
	char kind[64], bound[8];

	if (reads(d->root, CONSOLES, name, "name", kind, sizeof(kind)) &&
	    reads(d->root, CONSOLES, name, "bind", bound, sizeof(bound)) &&
	    strstr(kind, "frame buffer device") && str_equal(bound, "1"))
		d->console = true;
	return 0;
}

/*
 * What is on vfio-pci has no DRM card, so that every card here is the host's. Where no
 * driver came, the firmware's framebuffer may carry the console.
 */
static bool host_has_display(struct fs *root, struct str *why)
{
	struct displays d = { .root = root };

	(void)root->ops->list(root, DRM, visit_drm, &d);
	(void)root->ops->list(root, CONSOLES, visit_console, &d);
	if (d.connected || d.console)
		return true;
	str_add(why, d.driver ? "no screen is connected to the host's display"
			      : "no display driver of the host runs");
	return false;
}

bool health_check(struct fs *root, const struct report *boot, bool require_display,
		  struct str *why)
{
	return health_each(boot, is_on_vfio, root, why) &&
	       (!require_display || host_has_display(root, why));
}
