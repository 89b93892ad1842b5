/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nvidia.h"

#include "str.h"

bool nvidia_needs_hiding(const struct pci_ids *ids, const char *name)
{
	static const char *const chips[] = { "GF1", "GT2", "G7", "G8", "G9",
					     "NV",  "C5",  "C6", "C7", "MCP" };
	const char *p;

	if (ids->vendor != NVIDIA_VENDOR || !pci_is_display(ids))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++) {
		p = strstr(name, chips[i]);
		/* a word of its own, followed by the chip's number */
		if (p && p > name && p[-1] == ' ' && p[strlen(chips[i])] >= '0' &&
		    p[strlen(chips[i])] <= '9')
			return true;
	}
	return false;
}
