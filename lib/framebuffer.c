/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "framebuffer.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define IOMEM_MAX (256 * 1024)
#define PLATFORM_DRIVERS "sys/bus/platform/drivers/"

bool framebuffer_needs_release(const struct pci_ids *ids, const char *release)
{
	uint64_t major = 0;

	if (!pci_is_display(ids))
		return false;
	return ids->class >> 8 != 0x0300 || !str_take_uint(&release, 999, &major) ||
	       major < 6;
}

bool framebuffer_named(const char *name)
{
	static const char *const names[] = {
		"BOOTFB",	   "efifb",	      "vesafb",
		"simplefb",	   "simpledrm",	      "efidrm",
		"vesadrm",	   "efi-framebuffer", "simple-framebuffer",
		"vesa-framebuffer"
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (str_starts(name, names[i]))
			return true;
	return false;
}

bool framebuffer_next(char **iomem, size_t *ret_blanks, const char **ret_name)
{
	char *line, *name = NULL;

	while (!name && (line = strsep(iomem, "\n"))) {
		name = strstr(line, " : ");
		*ret_blanks = strspn(line, " ");
	}
	*ret_name = name ? name + 3 : NULL;
	return name;
}

static bool lies_inside(char *iomem, struct pci_address address)
{
	bool inside = false;
	struct pci_address a;
	size_t depth = 0, blanks;
	const char *name;

	while (framebuffer_next(&iomem, &blanks, &name)) {
		if (inside && blanks <= depth)
			inside = false;
		if (pci_address_parse(name, &a) && pci_address_compare(a, address) == 0) {
			inside = true;
			depth = blanks;
		} else if (inside && framebuffer_named(name)) {
			return true;
		}
	}
	return false;
}

static int take_device(void *arg, const char *name)
{
	struct framebuffer *fb = arg;
	size_t len = strlen(fb->driver);

	if (str_starts(name, fb->driver) && name[len] == '.' &&
	    strlen(name) < sizeof(fb->device))
		str_copy(fb->device, sizeof(fb->device), name);
	return 0;
}

static void find_device(struct fs *fs, struct framebuffer *ret)
{
	static const char *const drivers[] = { "efi-framebuffer", "simple-framebuffer",
					       "vesa-framebuffer" };
	char path[FS_PATH_MAX];
	struct str s;

	for (size_t i = 0; i < ARRAY_SIZE(drivers); i++) {
		s = STR_ON(path);
		str_join(&s, PLATFORM_DRIVERS, drivers[i], NULL);
		str_copy(ret->driver, sizeof(ret->driver), drivers[i]);
		(void)fs->ops->list(fs, path, take_device, ret);
		if (ret->device[0])
			return;
	}
	ret->driver[0] = '\0';
}

int framebuffer_find(struct fs *fs, struct pci_address address, struct framebuffer *ret)
{
	char *iomem = malloc(IOMEM_MAX);
	int r;

	*ret = (struct framebuffer){ 0 };
	if (!iomem)
		return -ENOMEM;
	r = fs_read_file(fs, "proc/iomem", iomem, IOMEM_MAX, NULL);
	if (r == 0 && lies_inside(iomem, address))
		find_device(fs, ret);
	free(iomem);
	return r == -ENOENT ? 0 : r;
}

static int write_device(struct fs *fs, const struct framebuffer *fb, const char *leaf)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, PLATFORM_DRIVERS, fb->driver, "/", leaf, NULL);
	return fs_write_text(fs, path, fb->device);
}

bool framebuffer_present(struct fs *fs, const struct framebuffer *fb)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, PLATFORM_DRIVERS, fb->driver, "/", fb->device, NULL);
	return fb->device[0] && fs->ops->exists(fs, path) == 0;
}

int framebuffer_release(struct fs *fs, const struct framebuffer *fb)
{
	return write_device(fs, fb, "unbind");
}

int framebuffer_restore(struct fs *fs, const struct framebuffer *fb)
{
	int r = write_device(fs, fb, "bind");

	if (framebuffer_present(fs, fb))
		return 0;
	return r < 0 ? r : -ENODEV;
}
