/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Configuration space: header type and serial number. */
#include "unit.h"

#include "scene.h"

static void put(uint8_t *at, uint32_t v)
{
	for (unsigned i = 0; i < 4; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static void an_endpoint(uint8_t bytes[4096])
{
	memset(bytes, 0, 4096);
	put(bytes, 0x248410de);
	bytes[0x0e] = 0x80;
}

static void header_is_read(void **state)
{
	uint8_t bytes[4096];
	struct pci_config c;

	(void)state;
	an_endpoint(bytes);
	pci_config_parse(bytes, 64, &c);
	assert_true(c.present && c.alive && !c.has_serial);
	assert_int_equal(c.header_type, 0);
	bytes[0x0e] = 0x81;
	pci_config_parse(bytes, 4096, &c);
	assert_int_equal(c.header_type, 1);
	/* too short to say anything */
	for (size_t len = 0; len < 64; len++) {
		pci_config_parse(bytes, len, &c);
		assert_false(c.alive);
	}
	memset(bytes, 0xff, sizeof(bytes));
	pci_config_parse(bytes, 4096, &c);
	assert_false(c.alive);
	assert_false(c.has_serial);
}

static void serial_is_found_along_the_list(void **state)
{
	uint8_t bytes[4096];
	struct pci_config c;

	(void)state;
	an_endpoint(bytes);
	put(bytes + 0x100, 0x20010001);
	put(bytes + 0x200, 0xff41002b);
	put(bytes + 0xff4, 0x00010003);
	put(bytes + 0xff8, 0xff201688);
	put(bytes + 0xffc, 0x000af7ff);
	pci_config_parse(bytes, 4096, &c);
	/* the next pointer of 0x200 says ff4, the lowest two bits are not part of it */
	assert_true(c.has_serial);
	assert_true(c.serial == 0x000af7ffff201688);
	for (size_t len = 64; len < 4096; len += 4) {
		pci_config_parse(bytes, len, &c);
		assert_false(c.has_serial);
	}
	put(bytes + 0x200, 0xff71002b);
	pci_config_parse(bytes, 4096, &c);
	assert_true(c.has_serial);
}

static void broken_lists_end(void **state)
{
	uint8_t bytes[4096];
	struct pci_config c;

	(void)state;
	an_endpoint(bytes);
	/* to itself */
	put(bytes + 0x100, 0x10010001);
	pci_config_parse(bytes, 4096, &c);
	assert_false(c.has_serial);
	/* round and round */
	put(bytes + 0x100, 0x20010001);
	put(bytes + 0x200, 0x1001000b);
	pci_config_parse(bytes, 4096, &c);
	assert_false(c.has_serial);
	/* into the header */
	put(bytes + 0x100, 0x04010001);
	put(bytes + 0x40, 0x00010003);
	pci_config_parse(bytes, 4096, &c);
	assert_false(c.has_serial);
	/* beyond the end */
	put(bytes + 0x100, 0xffc10001);
	pci_config_parse(bytes, 4096, &c);
	assert_false(c.has_serial);
	put(bytes + 0x100, 0xffffffff);
	pci_config_parse(bytes, 4096, &c);
	assert_false(c.has_serial);
}

static void reading_it(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct fake_function *gpu = fake_at(&s->fake, GPU);
	struct pci_config c;

	(void)state;
	gpu->has_serial = true;
	gpu->serial = 0x1122334455667788;
	assert_int_equal(pci_config_read(&s->fake.fs, gpu->address, true, &c), 0);
	assert_true(c.present && c.alive && c.has_serial && c.serial == gpu->serial);
	/* not asked for: a thousand slow reads are saved */
	assert_int_equal(pci_config_read(&s->fake.fs, gpu->address, false, &c), 0);
	assert_true(c.present && c.alive && !c.has_serial);
	gpu->dead = true;
	assert_int_equal(pci_config_read(&s->fake.fs, gpu->address, true, &c), 0);
	assert_true(c.present && !c.alive && !c.has_serial);
	gpu->no_config = true;
	assert_int_equal(pci_config_read(&s->fake.fs, gpu->address, true, &c), 0);
	assert_true(!c.present && c.alive && !c.has_serial);
	fake_fail(&s->fake, "/config", EACCES, 0);
	assert_int_equal(pci_config_read(&s->fake.fs, gpu->address, true, &c), -EACCES);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(header_is_read),
		cmocka_unit_test(serial_is_found_along_the_list),
		cmocka_unit_test(broken_lists_end),
		cmocka_unit_test(reading_it),
	};

	return UNIT_RUN(tests);
}
