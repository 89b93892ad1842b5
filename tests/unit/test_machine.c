/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "machine.h"
#include "scene.h"

static struct conf conf;
static struct machine m;

static int inspect(struct scene *s)
{
	struct conf_error err;

	assert_int_equal(conf_parse(s->conf, &conf, &err), 0);
	return machine_inspect(&s->fake.fs, &conf, s->fake.release, &m);
}

static void all_facts(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_claim(s, "a", GPU, USB, NULL);
	scene_claim(s, "b", HOST_GPU, NULL);
	str_copy(fake_at(&s->fake, USB)->override, PCI_DRIVER_LEN, "xhci_hcd");
	assert_int_equal(inspect(s), 0);
	assert_string_equal(m.release, s->fake.release);
	assert_true(m.iommu_present && !m.iommu_unsafe && m.drivers_may_come);
	assert_int_equal(m.list.n, s->fake.n_functions);
	assert_int_equal(m.n_functions, 3);
	/* a group is read once */
	assert_int_equal(m.n_groups, 2);
	assert_int_equal(m.functions[0].group, m.functions[1].group);
	assert_int_equal(m.groups[m.functions[2].group].id, 2);
	assert_true(machine_function_found(&m.functions[0]));
	assert_string_equal(m.functions[0].override, "");
	assert_string_equal(m.functions[1].override, "xhci_hcd");
	assert_string_equal(m.functions[1].found.function.driver, "xhci_hcd");
	assert_false(m.functions[0].virtual_functions);
	machine_finish(&m);
	assert_int_equal(m.n_functions, 0);
	scene_free(s);
}

static void what_is_not_found_is_not_read(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_claim(s, "a", GPU, NULL);
	fake_at(&s->fake, GPU)->ids.device++;
	assert_int_equal(inspect(s), 0);
	assert_int_equal(m.functions[0].found.match, MATCH_CHANGED);
	assert_false(machine_function_found(&m.functions[0]));
	assert_int_equal(m.functions[0].group, -1);
	assert_int_equal(m.n_groups, 0);
	machine_finish(&m);
	scene_free(s);
}

static void unnamed_functions_cost_one_read(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	unsigned before, more = 50;
	char address[32];

	(void)state;
	scene_claim(s, "a", GPU, AUDIO, USB, NULL);
	assert_int_equal(inspect(s), 0);
	machine_finish(&m);
	before = s->fake.accesses;
	s->fake.accesses = 0;
	for (unsigned i = 0; i < more; i++) {
		snprintf(address, sizeof(address), "0000:%02x:00.0", i + 16);
		fake_add(&s->fake, address, NULL, "8086:1234", "0000:0000", 0x020000,
			 100);
	}
	assert_int_equal(inspect(s), 0);
	machine_finish(&m);
	assert_int_equal(s->fake.accesses, before + more);
	scene_free(s);
}

static void virtual_functions(void **state)
{
	static const struct {
		int numvfs;
		bool expected;
	} cases[] = { { FAKE_NONE, false }, { 0, false }, { 1, true }, { 64, true } };
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_claim(s, "a", USB, NULL);
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		fake_at(&s->fake, USB)->numvfs = cases[i].numvfs;
		assert_int_equal(inspect(s), 0);
		assert_int_equal(m.functions[0].virtual_functions, cases[i].expected);
		machine_finish(&m);
	}
	fake_fail(&s->fake, "sriov_numvfs", EIO, 0);
	assert_int_equal(inspect(s), 0);
	assert_true(m.functions[0].virtual_functions);
	machine_finish(&m);
	scene_free(s);
}

static void framebuffers(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	s->fake.iomem = "e-f : 0000:01:00.0\n  1-2 : BOOTFB\n";
	s->fake.framebuffer =
		(struct fake_framebuffer){ "efi-framebuffer", "efi-framebuffer.0", true };
	scene_claim(s, "a", GPU, AUDIO, NULL);
	/* the kernel does it */
	assert_int_equal(inspect(s), 0);
	assert_string_equal(m.functions[0].framebuffer.device, "");
	machine_finish(&m);
	str_copy(s->fake.release, sizeof(s->fake.release), "5.10.0");
	assert_int_equal(inspect(s), 0);
	assert_string_equal(m.functions[0].framebuffer.device, "efi-framebuffer.0");
	assert_string_equal(m.functions[1].framebuffer.device, "");
	machine_finish(&m);
	fake_fail(&s->fake, "proc/iomem", EIO, 0);
	assert_int_equal(inspect(s), 0);
	assert_int_equal(m.functions[0].framebuffer_error, -EIO);
	machine_finish(&m);
	scene_free(s);
}

static void modules_may_come(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_claim(s, "a", GPU, NULL);
	s->fake.modules = false;
	assert_int_equal(inspect(s), 0);
	assert_false(m.drivers_may_come);
	machine_finish(&m);
	/* unreadable is no "no" */
	fake_fail(&s->fake, "lib/modules", EACCES, 0);
	assert_int_equal(inspect(s), 0);
	assert_true(m.drivers_may_come);
	machine_finish(&m);
	scene_free(s);
}

static void no_iommu_has_a_hint(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_claim(s, "a", GPU, NULL);
	s->fake.iommu = false;
	s->fake.acpi_table = "IVRS";
	assert_int_equal(inspect(s), 0);
	assert_false(m.iommu_present);
	assert_contains(m.iommu_hint, "AMD-Vi");
	machine_finish(&m);
	scene_free(s);
}

static void failures_are_forwarded(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_claim(s, "a", GPU, NULL);
	scene_claim(s, "b", USB, NULL);
	fake_fail(&s->fake, PCI_DEVICES, EACCES, 1);
	assert_int_equal(inspect(s), -EACCES);
	s->fake.faults[0] =
		(struct fake_fault){ .path = "iommu_groups/1/devices", .error = ENOMEM };
	assert_int_equal(inspect(s), -ENOMEM);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(all_facts),
		cmocka_unit_test(what_is_not_found_is_not_read),
		cmocka_unit_test(unnamed_functions_cost_one_read),
		cmocka_unit_test(virtual_functions),
		cmocka_unit_test(framebuffers),
		cmocka_unit_test(modules_may_come),
		cmocka_unit_test(no_iommu_has_a_hint),
		cmocka_unit_test(failures_are_forwarded),
	};

	return UNIT_RUN(tests);
}
