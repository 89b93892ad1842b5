/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "display.h"

#include "driver.h"

bool display_can_show(const struct pci_ids *ids)
{
	return pci_is_display(ids) && !pci_is_3d_controller(ids);
}

bool display_is_hosts(const struct pci_function *f)
{
	return f->known && pci_is_display(&f->ids) && !driver_vfio_accepts(f->driver);
}

bool display_serves_host(const struct pci_function *f)
{
	return display_is_hosts(f) && display_can_show(&f->ids);
}
