/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nvidia.h"

#include <ctype.h>

#include "str.h"

bool nvidia_needs_hiding(const struct pci_ids *ids, const char *name)
{
	static const char *const chips[] = { "GF1", "GT2", "G7", "G8", "G9",
					     "NV",  "C5",  "C6", "C7", "MCP" };
	const char *chip = name;

	if (ids->vendor != NVIDIA_VENDOR || !pci_is_display(ids) ||
	    !str_take_text(&chip, "NVIDIA Corporation "))
		return false;
	for (size_t i = 0; i < ARRAY_SIZE(chips); i++)
		if (str_starts(chip, chips[i]) && isdigit(chip[strlen(chips[i])]))
			return true;
	return false;
}
