/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "nvidia.h"

#include <ctype.h>

#include "str.h"

#define VENDOR 0x10de

/* A chip's letters with its number behind them. */
static bool is_one_of(const char *chip, const char *const *letters)
{
	for (; *letters; letters++)
		if (str_starts(chip, *letters) && isdigit(chip[strlen(*letters)]))
			return true;
	return false;
}

enum nvidia nvidia_of(const struct pci_ids *ids, const char *name)
{
	static const char *const old[] = { "NV", "C",	"MCP", "G7", "G8",
					   "G9", "GT2", "GF",  NULL };
	static const char *const new[] = { "GK", "GM", "GP", "GV", "TU",
					   "GA", "AD", "GH", "GB", NULL };
	const char *chip = name;

	if (ids->vendor != VENDOR)
		return NVIDIA_NONE;
	(void)!str_take_text(&chip, "NVIDIA Corporation ");
	return is_one_of(chip, old)   ? NVIDIA_OLD
	       : is_one_of(chip, new) ? NVIDIA_NEW
				      : NVIDIA_UNKNOWN;
}
