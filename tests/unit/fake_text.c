/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "fake_text.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <string.h>

#include "state.h"

static int __attribute__((format(printf, 2, 3)))
say(struct fake_text *t, const char *format, ...)
{
	va_list ap;

	va_start(ap, format);
	t->len = (size_t)vsnprintf(t->buf, sizeof(t->buf), format, ap);
	va_end(ap);
	t->data = t->buf;
	return 0;
}

static int say_or_absent(struct fake_text *t, const char *value)
{
	return value ? say(t, "%s\n", value) : -ENOENT;
}

static void put32(char *at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (char)(v >> (8 * i));
}

/* The header; a PCIe capability list with AER before the serial number. */
static int say_config(struct fake_text *t, const struct fake_function *fn)
{
	t->data = t->buf;
	t->len = fn->has_serial ? 4096 : 256;
	memset(t->buf, fn->dead ? 0xff : 0, t->len);
	if (fn->dead)
		return 0;
	put32(t->buf, (uint32_t)fn->ids.device << 16 | fn->ids.vendor);
	if (fn->power) {
		/* a list: vendor specific, power management */
		t->buf[0x06] = 0x10;
		t->buf[0x34] = 0x50;
		put32(t->buf + 0x50, 0x00106009);
		put32(t->buf + 0x60, 0x00030001);
	}
	t->buf[0x0e] = (char)(fn->header_type | ((fn->address.devfn & 7) ? 0 : 0x80));
	if (fn->has_serial) {
		put32(t->buf + 0x100, 0x14820001);
		put32(t->buf + 0x148, 0x00010003);
		put32(t->buf + 0x14c, (uint32_t)fn->serial);
		put32(t->buf + 0x150, (uint32_t)(fn->serial >> 32));
	}
	return 0;
}

static int say_uevent(struct fake_text *t, const struct fake_function *fn)
{
	const struct pci_ids *i = &fn->ids;

	return say(t,
		   "%s%s%sPCI_CLASS=%04X\nPCI_ID=%04X:%04X\nPCI_SUBSYS_ID=%04X:%04X\n"
		   "PCI_SLOT_NAME=%04x:%02x:%02x.%x\nMODALIAS=pci:v%08Xd%08X\n",
		   fn->driver[0] ? "DRIVER=" : "", fn->driver, fn->driver[0] ? "\n" : "",
		   i->class, i->vendor, i->device, i->subvendor, i->subdevice,
		   fn->address.domain, fn->address.bus, fn->address.devfn >> 3,
		   fn->address.devfn & 7U, i->vendor, i->device);
}

/* "0000:01:00.0/leaf", or without a leaf */
int fake_split(const struct fake *f, const char *rest, const char **ret_leaf)
{
	size_t len = strcspn(rest, "/");

	*ret_leaf = rest[len] ? rest + len + 1 : NULL;
	return fake_find(f, rest, len);
}

/* Start, end and flags of six BARs and the ROM. */
static int say_resource(struct fake_text *t, const struct fake_function *fn)
{
	const uint64_t start = 0x4000000000,
		       end = start + ((uint64_t)1 << (20 + fn->rebar_size)) - 1;
	size_t len = 0;

	for (unsigned bar = 0; bar < 7; bar++) {
		const bool here = fn->rebar_sizes && bar == fn->rebar_bar;

		len += (size_t)snprintf(t->buf + len, sizeof(t->buf) - len,
					"0x%016" PRIx64 " 0x%016" PRIx64 " 0x%016x\n",
					here ? start : 0, here ? end : 0,
					here ? 0x14220c : 0);
	}
	t->data = t->buf;
	t->len = len;
	return 0;
}

/* What can be set before a driver is bound. */
static int read_setting(const struct fake_function *fn, const char *leaf,
			struct fake_text *t)
{
	char resize[] = "resource0_resize";

	resize[8] = (char)('0' + fn->rebar_bar);
	if (str_equal(leaf, resize) && fn->rebar_sizes)
		return say(t, "%016" PRIx64 "\n", fn->rebar_sizes);
	if (str_equal(leaf, "resource"))
		return say_resource(t, fn);
	if (str_equal(leaf, "reset_method") && fn->resets)
		return say(t, "%s\n", fn->reset_method);
	if (str_equal(leaf, "d3cold_allowed"))
		return say(t, "%d\n", fn->d3cold_allowed);
	if (str_equal(leaf, "power/control"))
		return say(t, "%s\n", fn->awake ? "on" : "auto");
	return -ENOENT;
}

static int read_device(struct fake *f, const char *rest, struct fake_text *t)
{
	const struct fake_function *fn;
	const char *leaf;
	int i = fake_split(f, rest, &leaf);

	if (i < 0)
		return -ENOENT;
	fn = &f->functions[i];
	if (!leaf)
		return -EISDIR;
	if (str_equal(leaf, "uevent"))
		return say_uevent(t, fn);
	if (str_equal(leaf, "driver_override"))
		return say(t, "%s\n", fn->override[0] ? fn->override : f->no_override);
	if (str_equal(leaf, "config") && !fn->no_config)
		return say_config(t, fn);
	if (str_equal(leaf, "sriov_numvfs") && fn->numvfs != FAKE_NONE)
		return say(t, "%d\n", fn->numvfs);
	return read_setting(fn, leaf, t);
}

static int read_state(const struct fake *f, const char *path, struct fake_text *t)
{
	if (!f->state_len || !str_equal(path, STATE_PATH))
		return -ENOENT;
	t->data = f->state;
	t->len = f->state_len;
	return 0;
}

int fake_content(struct fake *f, const char *path, struct fake_text *t)
{
	if (str_starts(path, DEVICES))
		return read_device(f, path + strlen(DEVICES), t);
	if (str_starts(path, GROUPS)) {
		const char *leaf = strrchr(path, '/');

		if (str_equal(leaf, "/type"))
			return say_or_absent(t, f->group_type);
		return str_equal(leaf, "/name") ? say_or_absent(t, f->group_name)
						: -ENOENT;
	}
	if (str_equal(path, "sys/module/vfio/parameters/enable_unsafe_noiommu_mode"))
		return say_or_absent(t, f->unsafe_mode);
	if (str_equal(path, "sys/module/vfio_pci/parameters/disable_vga"))
		return say_or_absent(t, f->disable_vga);
	if (str_equal(path, "sys/module/vfio_pci/parameters/disable_idle_d3"))
		return say_or_absent(t, f->disable_idle_d3);
	if (str_equal(path, "proc/cmdline"))
		return say_or_absent(t, f->cmdline);
	if (str_equal(path, "proc/iomem") && f->iomem)
		t->data = f->iomem;
	else if (str_equal(path, "etc/vfio-claim.conf") && f->conf)
		t->data = f->conf;
	else if (str_equal(path, "etc/vfio-claim.partitions") && f->partitions)
		t->data = f->partitions;
	else
		return read_state(f, path, t);
	t->len = t->data == f->conf && f->conf_len ? f->conf_len : strlen(t->data);
	return 0;
}
