/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What is done to the machine's files. */
#include "fake_text.h"

#include <errno.h>
#include <string.h>

#include "state.h"

#define PLATFORM "sys/bus/platform/drivers/"

static const struct fake_overlay *overlaid(const struct fake *f, const char *path)
{
	for (unsigned i = 0; i < FAKE_OVERLAYS; i++)
		if (f->overlays[i].path && str_equal(f->overlays[i].path, path))
			return &f->overlays[i];
	return NULL;
}

static int fake_read(struct fs *fs, const char *path, enum fs_extent extent, char *buf,
		     size_t size, size_t *ret_len, struct fs_meta *meta)
{
	struct fake *f = fake_of(fs);
	const struct fake_fault *fault = fake_begin(f, path);
	const struct fake_overlay *over = overlaid(f, path);
	struct fake_text t = { .data = NULL };
	int r;

	if (over && over->data) {
		t.data = over->data;
		t.len = over->len;
		r = 0;
	} else {
		r = over ? -ENOENT : fake_content(f, path, &t);
	}
	r = fake_end(f, fault, r);
	if (r < 0)
		return r;
	if (extent == FS_FILE && t.len >= size)
		return -EFBIG;
	*ret_len = t.len < size ? t.len : size;
	memcpy(buf, t.data, *ret_len);
	if (meta)
		*meta = f->conf_meta;
	return 0;
}

static int fake_write(struct fs *fs, const char *path, const char *data, size_t len)
{
	struct fake *f = fake_of(fs);
	const struct fake_fault *fault = fake_begin(f, path);
	int r = 0;

	if (!fault || fault->after)
		r = fake_core_write(f, path, data, len);
	return fake_end(f, fault, r);
}

/* ---- links and folders */

static void place(const struct fake *f, int i, char *buf, size_t size)
{
	const struct fake_function *fn = &f->functions[i];
	size_t len;

	if (fn->parent == FAKE_NONE)
		snprintf(buf, size, "../../../devices");
	else
		place(f, fn->parent, buf, size);
	len = strlen(buf);
	if (fn->parent == FAKE_NONE ||
	    f->functions[fn->parent].address.domain != fn->address.domain) {
		snprintf(buf + len, size - len, "/pci%04x:%02x", fn->address.domain,
			 fn->address.bus);
		len = strlen(buf);
	}
	snprintf(buf + len, size - len, "/%04x:%02x:%02x.%x", fn->address.domain,
		 fn->address.bus, fn->address.devfn >> 3, fn->address.devfn & 7U);
}

static int target(const struct fake *f, const char *path, char *buf, size_t size)
{
	const struct fake_function *fn;
	const char *leaf;
	int i;

	if (!str_starts(path, DEVICES))
		return -EINVAL;
	i = fake_split(f, path + strlen(DEVICES), &leaf);
	if (i < 0)
		return -ENOENT;
	fn = &f->functions[i];
	if (!leaf) {
		place(f, i, buf, size);
		return 0;
	}
	if (str_equal(leaf, "driver") && fn->driver[0])
		snprintf(buf, size, "../../../../bus/pci/drivers/%s", fn->driver);
	else if (str_equal(leaf, "iommu_group") && fn->group != FAKE_NONE)
		snprintf(buf, size, "../../../../kernel/iommu_groups/%d", fn->group);
	else
		return -ENOENT;
	return 0;
}

static int fake_link(struct fs *fs, const char *path, char *buf, size_t size)
{
	struct fake *f = fake_of(fs);
	const struct fake_fault *fault = fake_begin(f, path);
	const struct fake_overlay *over = overlaid(f, path);
	char text[2048];
	int r;

	if (over || (f->opened && str_equal(path, "proc/1/fd/3"))) {
		const char *data = over ? over->data : f->opened;

		r = data ? 0 : -ENOENT;
		snprintf(text, sizeof(text), "%s", data ? data : "");
	} else {
		r = target(f, path, text, sizeof(text));
	}
	r = fake_end(f, fault, r);
	if (r < 0)
		return r;
	if (strlen(text) >= size)
		return -ENAMETOOLONG;
	strcpy(buf, text);
	return 0;
}

static int name_of(const struct fake_function *fn, fs_name_fn *fn_name, void *arg)
{
	char name[PCI_ADDRESS_LEN];
	struct str s = STR_ON(name);

	pci_address_add(&s, fn->address);
	return fn_name(arg, name);
}

/* Backwards: no caller is to rely on an order. */
static int list_functions(const struct fake *f, int parent, int group, fs_name_fn *fn,
			  void *arg)
{
	int r = 0;

	for (unsigned i = f->n_functions; i-- > 0 && r == 0;) {
		const struct fake_function *e = &f->functions[i];
		bool below = parent != FAKE_NONE && e->parent == parent &&
			     e->address.domain == f->functions[parent].address.domain;

		if (!e->absent && (parent == FAKE_NONE || below) &&
		    (group == FAKE_NONE || e->group == group))
			r = name_of(e, fn, arg);
	}
	return r;
}

static int list_device(const struct fake *f, const char *rest, fs_name_fn *fn, void *arg)
{
	/* a port's services and links to others look like addresses at first sight */
	static const char *const noise[] = { "uevent", "0000:00:01.0:pcie001",
					     "consumer:pci:0000:01:00.1",
					     "driver_override" };
	const char *leaf;
	int r = 0, i = fake_split(f, rest, &leaf);

	if (i < 0)
		return -ENOENT;
	if (leaf)
		return -ENOTDIR;
	for (size_t k = 0; k < ARRAY_SIZE(noise) && r == 0; k++)
		r = fn(arg, noise[k]);
	return r ? r : list_functions(f, i, FAKE_NONE, fn, arg);
}

static int names(const struct fake *f, const char *path, fs_name_fn *fn, void *arg)
{
	const struct fake_framebuffer *fb = &f->framebuffer;
	int r = 0, group, used = 0;

	if (str_equal(path, PCI_DEVICES))
		return list_functions(f, FAKE_NONE, FAKE_NONE, fn, arg);
	if (str_starts(path, DEVICES))
		return list_device(f, path + strlen(DEVICES), fn, arg);
	if (str_equal(path, "proc") && !(f->opened && !*f->opened))
		return (r = fn(arg, "meminfo")) ? r : fn(arg, "1");
	if (str_equal(path, "proc/1/fd") && f->opened)
		return fn(arg, "3");
	if (str_equal(path, "sys/bus/usb/devices")) {
		r = fn(arg, "usb1");
		return r || !f->usb ? r : fn(arg, f->usb);
	}
	if (str_equal(path, "sys/class/iommu"))
		return f->iommu ? fn(arg, "dmar0") : 0;
	if (sscanf(path, GROUPS "%d/devices%n", &group, &used) == 1 && used &&
	    !path[used])
		return list_functions(f, FAKE_NONE, group, fn, arg);
	if (!fb->driver || !str_starts(path, PLATFORM) ||
	    !str_equal(path + strlen(PLATFORM), fb->driver))
		return -ENOENT;
	r = fn(arg, "uevent");
	return r == 0 && fb->bound ? fn(arg, fb->device) : r;
}

static int fake_list(struct fs *fs, const char *path, fs_name_fn *fn, void *arg)
{
	struct fake *f = fake_of(fs);
	const struct fake_fault *fault = fake_begin(f, path);
	const struct fake_overlay *over = overlaid(f, path);

	if (fault)
		return fake_end(f, fault, 0);
	return fake_end(f, NULL, over && !over->data ? -ENOENT : names(f, path, fn, arg));
}

static bool is_there(struct fake *f, const char *path)
{
	const struct fake_framebuffer *fb = &f->framebuffer;
	char table[64], modules[128], device[128];
	struct fake_text t = { .data = NULL };
	const char *leaf;
	bool there = false;

	snprintf(table, sizeof(table), "sys/firmware/acpi/tables/%s",
		 f->acpi_table ? f->acpi_table : "-");
	snprintf(modules, sizeof(modules), "lib/modules/%s", f->release);
	snprintf(device, sizeof(device), PLATFORM "%s/%s", fb->driver ? fb->driver : "-",
		 fb->device ? fb->device : "-");
	if ((f->awaited && str_equal(path, REPORT_AWAITED_PATH)) ||
	    (fb->bound && str_equal(path, device)) ||
	    (f->efi && str_equal(path, "sys/firmware/efi/efivars")))
		return true;
	if (str_starts(path, DEVICES))
		return fake_split(f, path + strlen(DEVICES), &leaf) >= 0 &&
		       (!leaf || fake_content(f, path, &t) >= 0 ||
			target(f, path, device, sizeof(device)) >= 0);
	for (unsigned i = 0; i < f->n_drivers && str_starts(path, PCI_DRIVERS "/"); i++)
		there |= f->drivers[i].loaded &&
			 str_equal(path + strlen(PCI_DRIVERS "/"), f->drivers[i].name);
	return there || str_equal(path, table) ||
	       (f->modules && str_equal(path, modules));
}

static int fake_exists(struct fs *fs, const char *path)
{
	struct fake *f = fake_of(fs);
	const struct fake_fault *fault = fake_begin(f, path);
	const struct fake_overlay *over = overlaid(f, path);
	bool there = over ? over->data != NULL : is_there(f, path);

	return fake_end(f, fault, there ? 0 : -ENOENT);
}

static int store_state(struct fake *f, const char *data, size_t len)
{
	if (len > sizeof(f->state))
		return -ENOSPC;
	memcpy(f->state, data, len);
	f->state_len = len;
	return 0;
}

static int store_mark(struct fake *f, const char *path)
{
	const char *model = path + strlen(REPORT_AWAITED_MODEL);

	if (!str_starts(path, REPORT_AWAITED_MODEL))
		f->awaited = true;
	else if (f->n_models < ARRAY_SIZE(f->models))
		str_copy(f->models[f->n_models++], sizeof(f->models[0]), model);
	else
		return -ENOSPC;
	return 0;
}

static int store_report(struct fake *f, const char *path, const char *data, size_t len)
{
	/* of a very long one, only that there was one */
	f->report_len = len < sizeof(f->report) ? len : 0;
	memcpy(f->report, data, f->report_len);
	f->report[f->report_len] = '\0';
	str_copy(f->report_path, sizeof(f->report_path), path);
	return 0;
}

static int fake_replace(struct fs *fs, const char *path, const char *data, size_t len,
			enum fs_how how)
{
	struct fake *f = fake_of(fs);
	const struct fake_fault *fault = fake_begin(f, path);
	int r = 0;

	(void)how;
	if (!fault || fault->after)
		r = str_equal(path, STATE_PATH) ? store_state(f, data, len)
		    : str_starts(path, REPORT_AWAITED_PATH)
			    ? store_mark(f, path)
			    : store_report(f, path, data, len);
	return fake_end(f, fault, r);
}

static int fake_remove(struct fs *fs, const char *path)
{
	struct fake *f = fake_of(fs);
	const struct fake_fault *fault = fake_begin(f, path);
	const bool state = f->state_len && str_equal(path, STATE_PATH);
	const bool mark = f->awaited && str_equal(path, REPORT_AWAITED_PATH);

	if (state && (!fault || fault->after))
		f->state_len = 0;
	if (mark && (!fault || fault->after))
		f->awaited = false;
	return fake_end(f, fault, state || mark ? 0 : -ENOENT);
}

/* efivarfs is not reached through the root: it may be mounted nowhere. */
static int fake_put_variable(struct fs *fs, const char *path, const char *data,
			     size_t len)
{
	(void)data, (void)len;
	return fake_end(fake_of(fs), fake_begin(fake_of(fs), path), -EROFS);
}

const struct fs_ops fake_files = {
	.read = fake_read,
	.write = fake_write,
	.link = fake_link,
	.list = fake_list,
	.exists = fake_exists,
	.replace = fake_replace,
	.remove = fake_remove,
	.put_variable = fake_put_variable,
	.mount = fake_mount,
};
