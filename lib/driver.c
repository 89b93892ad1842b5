/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "driver.h"

#include <errno.h>
#include <string.h>

int driver_current(struct fs *fs, struct pci_address address,
		   char ret[static PCI_DRIVER_LEN])
{
	char path[FS_PATH_MAX];
	int r;

	pci_device_path(path, sizeof(path), address, "driver");
	r = fs_link_name(fs, path, ret, PCI_DRIVER_LEN);
	if (r == -ENOENT) {
		ret[0] = '\0';
		return 0;
	}
	return r;
}

int driver_override_read(struct fs *fs, struct pci_address address,
			 char ret[static PCI_DRIVER_LEN])
{
	char path[FS_PATH_MAX];
	int r;

	pci_device_path(path, sizeof(path), address, "driver_override");
	r = fs_read_text(fs, path, ret, PCI_DRIVER_LEN);
	if (r == 0 && str_equal(ret, "(null)"))
		ret[0] = '\0';
	return r;
}

int driver_override_write(struct fs *fs, struct pci_address address, const char *name)
{
	char path[FS_PATH_MAX], line[PCI_DRIVER_LEN + 1];
	struct str s = STR_ON(line);

	pci_device_path(path, sizeof(path), address, "driver_override");
	/* a zero-length write would not reach the kernel */
	str_join(&s, name, "\n", NULL);
	return s.cut ? -ENAMETOOLONG : fs_write_text(fs, path, line);
}

static int write_address(struct fs *fs, const char *path, struct pci_address address)
{
	char text[PCI_ADDRESS_LEN];
	struct str s = STR_ON(text);

	pci_address_add(&s, address);
	return fs_write_text(fs, path, text);
}

static int write_driver(struct fs *fs, const char *driver, const char *leaf,
			struct pci_address address)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, PCI_DRIVERS "/", driver, "/", leaf, NULL);
	return write_address(fs, path, address);
}

int driver_bind(struct fs *fs, struct pci_address address, const char *driver)
{
	return write_driver(fs, driver, "bind", address);
}

int driver_unbind(struct fs *fs, struct pci_address address, const char *driver)
{
	return write_driver(fs, driver, "unbind", address);
}

int driver_probe(struct fs *fs, struct pci_address address)
{
	return write_address(fs, "sys/bus/pci/drivers_probe", address);
}

bool driver_present(struct fs *fs, const char *driver)
{
	char path[FS_PATH_MAX];
	struct str s = STR_ON(path);

	str_join(&s, PCI_DRIVERS "/", driver, NULL);
	return fs->ops->exists(fs, path) == 0;
}

/*
 * Drivers that leave DMA alone (driver_managed_dma) or are vfio's own: vfio-pci and its
 * variants (mlx5_vfio_pci, nvgrace-gpu-vfio-pci), pci-stub, and pcieport for bridges.
 */
bool driver_vfio_accepts(const char *driver)
{
	size_t len = strlen(driver);

	return str_equal(driver, "pci-stub") || str_equal(driver, "pcieport") ||
	       (len >= 8 && (str_equal(driver + len - 8, "vfio-pci") ||
			     str_equal(driver + len - 8, "vfio_pci")));
}
