/* SPDX-License-Identifier: GPL-2.0-or-later */
/*
 * Addresses, paths, ids and serial numbers: what is accepted, and that it says the same
 * again.
 */
#include <regex.h>

#include "fuzz.h"
#include "pci.h"

#define H "[0-9a-fA-F]"
#define DEVFN "[01]" H "\\.[0-7]"
#define ADDRESS H "{4,8}:" H "{2}:" DEVFN

static bool matches(const char *pattern, const char *text)
{
	static struct {
		const char *pattern;
		regex_t re;
	} known[4];
	unsigned i = 0;

	while (known[i].pattern && known[i].pattern != pattern)
		i++;
	if (!known[i].pattern)
		CHECK(regcomp(&known[i].re, pattern, REG_EXTENDED | REG_NOSUB) == 0);
	known[i].pattern = pattern;
	return regexec(&known[i].re, text, 0, NULL, 0) == 0;
}

static void check_address(const char *text)
{
	struct pci_address a, b;
	char again[64];
	struct str s = STR_ON(again);
	bool ok = pci_address_parse(text, &a);

	CHECK(ok == matches("^" ADDRESS "$", text));
	if (!ok)
		return;
	pci_address_add(&s, a);
	CHECK(!s.cut && s.len < PCI_ADDRESS_LEN);
	CHECK(pci_address_parse(again, &b) && pci_address_compare(a, b) == 0);
	/* digit by digit, from the end; the domain may lose zeros in front */
	CHECK(strlen(again) <= strlen(text));
	CHECK(!strcasecmp(again, text + strlen(text) - strlen(again)));
	CHECK(strspn(text, "0") >= strlen(text) - strlen(again));
}

static void check_path(const char *text)
{
	struct pci_path a, b;
	char again[512];
	struct str s = STR_ON(again);
	bool ok = pci_path_parse(text, &a);

	CHECK(ok == matches("^" ADDRESS "(/" DEVFN "){0,16}$", text));
	if (!ok)
		return;
	CHECK(a.depth <= PCI_PATH_DEPTH);
	pci_path_add(&s, &a);
	CHECK(!s.cut && !strcasecmp(again, text + strlen(text) - strlen(again)));
	CHECK(pci_path_parse(again, &b) && pci_path_equal(&a, &b));
}

static void check_id(const char *text)
{
	uint16_t vendor, device;
	char again[16];
	bool ok = pci_id_parse(text, &vendor, &device);

	CHECK(ok == matches("^" H "{4}:" H "{4}$", text));
	if (!ok)
		return;
	snprintf(again, sizeof(again), "%04x:%04x", vendor, device);
	CHECK(!strcasecmp(again, text));
}

static void check_serial(const char *text)
{
	char again[64] = "";
	uint64_t serial;
	bool ok = pci_serial_parse(text, &serial);

	CHECK(ok == matches("^" H "{2}(-" H "{2}){7}$", text));
	for (unsigned i = 0; ok && i < 8; i++)
		snprintf(again + strlen(again), 8, "%s%02x", i ? "-" : "",
			 (unsigned)(serial >> (56 - 8 * i)) & 0xff);
	CHECK(!ok || !strcasecmp(again, text));
}

static void check_numbers(const char *text)
{
	const char *p = text;
	char again[32];
	struct str s = STR_ON(again);
	uint64_t v;

	if (str_take_uint(&p, INT32_MAX, &v)) {
		str_add_uint(&s, v);
		CHECK(v <= INT32_MAX && (size_t)(p - text) == s.len);
		CHECK(!strncmp(text, again, s.len) && !(*p >= '0' && *p <= '9'));
	} else {
		CHECK(p == text);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	char *text = fuzz_text(data, size);

	check_address(text);
	check_path(text);
	check_id(text);
	check_serial(text);
	check_numbers(text);
	free(text);
	return 0;
}
