/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "d3cold.h"

#include <string.h>

#define TARGET_MAX 1024 /* bytes of a device's path below /sys/devices */

enum d3cold d3cold_of(struct fs *fs, struct pci_address address)
{
	enum d3cold power = D3COLD_UNKNOWN;
	char path[FS_PATH_MAX], target[TARGET_MAX], *slash;
	struct pci_address port;

	pci_device_path(path, sizeof(path), address, NULL);
	if (fs->ops->link(fs, path, target, sizeof(target)) < 0)
		return D3COLD_UNKNOWN;
	while ((slash = strrchr(target, '/'))) {
		*slash = '\0';
		slash = strrchr(target, '/');
		if (!slash || !pci_address_parse(slash + 1, &port))
			break;
		pci_device_path(path, sizeof(path), port, "firmware_node");
		if (fs->ops->exists(fs, path) < 0)
			continue;
		power = D3COLD_NEVER;
		pci_device_path(path, sizeof(path), port,
				"firmware_node/power_resources_D3hot");
		if (fs->ops->exists(fs, path) == 0)
			return D3COLD_CAN;
	}
	return power;
}
