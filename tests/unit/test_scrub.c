/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What a snapshot does not tell of its machine. */
#include "unit.h"

#include "fs.h"
#include "pci.h"
#include "scrub.h"

static struct scrub *scrub_of(const char *host)
{
	struct scrub *scrub;
	struct fs nowhere;

	assert_int_equal(fs_init(&nowhere, "/proc/self/task"), 0);
	assert_int_equal(scrub_new(&nowhere, &scrub), 0);
	fs_finish(&nowhere);
	scrub_set_host(scrub, host);
	return scrub;
}

static void expect(const char *text, const char *wanted)
{
	struct scrub *scrub = scrub_of("tower");
	char *copy = scrub_text(scrub, text, true);

	assert_string_equal(copy, wanted);
	free(copy);
	scrub_free(scrub);
}

static void uuids(void **state)
{
	(void)state;
	expect("root=UUID=0f0e0d0c-1234-4abc-8def-00112233445f ro",
	       "root=UUID=00000000-0000-0000-0000-000000000001 ro");
	/* equal whatever their case; others differ */
	expect("0F0E0D0C-1234-4ABC-8DEF-00112233445F,0f0e0d0c-1234-4abc-8def-00112233445f,"
	       "1f0e0d0c-1234-4abc-8def-00112233445f",
	       "00000000-0000-0000-0000-000000000001,00000000-0000-0000-0000-000000000001,"
	       "00000000-0000-0000-0000-000000000002");
	expect("x0f0e0d0c-1234-4abc-8def-00112233445f",
	       "x0f0e0d0c-1234-4abc-8def-00112233445f");
	expect("0f0e0d0c-1234-4abc-8def-00112233445f0",
	       "0f0e0d0c-1234-4abc-8def-00112233445f0");
	expect("0123456789abcdef0123456789abcdef-6.1.conf",
	       "00000000000000000000000000000001-6.1.conf");
}

static void short_uuids(void **state)
{
	(void)state;
	expect("UUID=ABCD-1234 PARTUUID=89abcdef-02 UUID=0123456789ABCDEF",
	       "UUID=0000-0001 PARTUUID=00000002-02 UUID=0000000000000003");
	/* no name before it: a range, a year, an id */
	expect("2018-2024 10de-2484 0123456789abcdef",
	       "2018-2024 10de-2484 0123456789abcdef");
	expect("/dev/disk/by-uuid/ABCD-1234", "/dev/disk/by-uuid/0000-0001");
}

static void serials(void **state)
{
	(void)state;
	expect("serial=00-0a-f7-ff-ff-20-16-88", "serial=00-00-00-00-00-00-00-01");
	expect("/dev/disk/by-id/ata-Disk_S3Z8-part2 by-id/wwn-0x5",
	       "/dev/disk/by-id/scrubbed-1-part2 by-id/scrubbed-2");
}

static void hosts(void **state)
{
	(void)state;
	expect("tower tower-vg tower.lan /dev/tower ip=::tower:",
	       "host host-vg host.lan /dev/host ip=::host:");
	expect("towers watchtower tower1", "towers watchtower tower1");
}

static void common_hosts(void **state)
{
	static const char *const names[] = { "debian", "linux", "pc", "", "root" };
	const char *text = "debian linux pc root quiet";

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(names); i++) {
		struct scrub *scrub = scrub_of(names[i]);
		char *copy = scrub_text(scrub, text, true);

		assert_string_equal(copy, text);
		free(copy);
		scrub_free(scrub);
	}
}

static void put_serial(uint8_t *bytes, size_t at, uint8_t last)
{
	bytes[at] = 3;
	bytes[at + 2] = 1;
	for (size_t i = 0; i < 8; i++)
		bytes[at + 4 + i] = (uint8_t)(0x11 * i + last);
}

static void config(void **state)
{
	struct scrub *scrub = scrub_of("");
	uint8_t bytes[4096] = { 0x86, 0x80 }, other[4096] = { 0x86, 0x80 };
	struct pci_config found;
	char *text;

	(void)state;
	/* error reporting, then the serial number */
	memcpy(bytes + 0x100, (uint8_t[]){ 1, 0, 1, 0x42 }, 4);
	put_serial(bytes, 0x420, 5);
	put_serial(other, 0x100, 6);
	scrub_config(scrub, bytes, sizeof(bytes));
	scrub_config(scrub, other, sizeof(other));
	pci_config_parse(bytes, sizeof(bytes), &found);
	assert_true(found.has_serial);
	assert_int_equal(found.serial, 1);
	pci_config_parse(other, sizeof(other), &found);
	assert_int_equal(found.serial, 2);
	/* the same number as text */
	text = scrub_text(scrub, "7c-6b-5a-49-38-27-16-05", false);
	assert_string_equal(text, "00-00-00-00-00-00-00-01");
	free(text);
	scrub_free(scrub);
}

/* No capability, one that is cut off, lists that loop: nothing beyond is touched. */
static void hostile_config(void **state)
{
	struct scrub *scrub = scrub_of("");
	static const size_t lengths[] = { 0, 1, 64, 256, 0x103, 0x10b, 0x10c };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lengths); i++) {
		uint8_t *bytes = calloc(1, lengths[i] + 1);

		if (lengths[i] > 0x100)
			bytes[0x100] = 3;
		scrub_config(scrub, bytes, lengths[i]);
		free(bytes);
	}
	for (unsigned next = 0; next < 0x1000; next += 0x10) {
		uint8_t *bytes = calloc(1, 4096);

		memcpy(bytes + 0x100,
		       (uint8_t[]){ 1, 0, (uint8_t)(1 | next << 4),
				    (uint8_t)(next >> 4) },
		       4);
		scrub_config(scrub, bytes, 4096);
		free(bytes);
	}
	scrub_free(scrub);
}

static void passwords(void **state)
{
	char *copy = scrub_passwords("a\n\tpassword me x\npassword_pbkdf2 r y\n"
				     "z grub.pbkdf2.sha512.1\npasswords are fine\nend");

	(void)state;
	assert_string_equal(copy, "a\n# a password was here\n# a password was here\n"
				  "# a password was here\npasswords are fine\nend");
	free(copy);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(uuids),	  cmocka_unit_test(short_uuids),
		cmocka_unit_test(serials),	  cmocka_unit_test(hosts),
		cmocka_unit_test(common_hosts),	  cmocka_unit_test(config),
		cmocka_unit_test(hostile_config), cmocka_unit_test(passwords),
	};

	return UNIT_RUN(tests);
}
