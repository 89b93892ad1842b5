/* SPDX-License-Identifier: GPL-2.0-or-later */
/* pci_config_parse() beside a plain walk that remembers where it was. */
#include "fuzz.h"
#include "pci.h"

static uint32_t dword(const uint8_t *bytes, size_t at)
{
	uint32_t v = 0;

	for (unsigned i = 4; i > 0; i--)
		v = v << 8 | bytes[at + i - 1];
	return v;
}

static bool walk(const uint8_t *bytes, size_t len, uint64_t *ret)
{
	bool seen[4096] = { false };
	size_t at = 0x100;

	while (at >= 0x100 && at + 12 <= len && !seen[at]) {
		uint32_t header = dword(bytes, at);

		seen[at] = true;
		if (header == 0 || header == UINT32_MAX)
			return false;
		if ((header & 0xffff) == 3) {
			*ret = (uint64_t)dword(bytes, at + 8) << 32 |
			       dword(bytes, at + 4);
			return true;
		}
		at = header >> 22 << 2;
	}
	return false;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	size_t len = size < 4096 ? size : 4096;
	uint8_t *bytes = malloc(len ? len : 1);
	bool alive = len >= 64 && (data[0] != 0xff || data[1] != 0xff);
	struct pci_config c;
	uint64_t serial = 0;

	CHECK(bytes);
	if (len)
		memcpy(bytes, data, len);
	pci_config_parse(bytes, len, &c);
	CHECK(c.present);
	CHECK(c.alive == alive);
	CHECK(c.header_type == (len >= 64 ? bytes[0x0e] & 0x7f : 0));
	CHECK(c.has_serial == (alive && walk(bytes, len, &serial)));
	CHECK(!c.has_serial || c.serial == serial);
	free(bytes);
	return 0;
}
