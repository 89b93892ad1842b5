/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "iommu.h"
#include "scene.h"

static struct iommu_group group_of(struct scene *s, const char *address)
{
	struct iommu_group group;

	assert_int_equal(iommu_group_read(&s->fake.fs,
					  fake_at(&s->fake, address)->address, &group),
			 0);
	return group;
}

static void expect_proof(struct scene *s, enum iommu_proof proof)
{
	struct iommu_group group = group_of(s, GPU);

	assert_that(group.proof == proof, "proof %d, type '%s', name '%s': %s",
		    group.proof, s->fake.group_type ? s->fake.group_type : "-",
		    s->fake.group_name ? s->fake.group_name : "-", group.detail);
	assert_int_equal(group.detail[0] == '\0', proof == IOMMU_PROVEN);
	iommu_group_finish(&group);
	assert_int_equal(group.id, -1);
	assert_null(group.members);
}

static void presence(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	assert_true(iommu_present(&s->fake.fs));
	s->fake.iommu = false;
	assert_false(iommu_present(&s->fake.fs));
	s->fake.iommu = true;
	fake_fail(&s->fake, "sys/class/iommu", EIO, 0);
	assert_false(iommu_present(&s->fake.fs));
	s->fake.faults[0].error = 0;
	fake_overlay(&s->fake, "sys/class/iommu", NULL);
	assert_false(iommu_present(&s->fake.fs));
	scene_free(s);
}

static void unsafe_mode(void **state)
{
	static const struct {
		const char *value;
		bool unsafe;
	} cases[] = { { NULL, false }, { "N", false }, { "Y", true }, { "1", true },
		      { "0", true },   { "", true },   { "n", true }, { "No", true } };
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		s->fake.unsafe_mode = cases[i].value;
		assert_int_equal(iommu_unsafe_mode(&s->fake.fs), cases[i].unsafe);
	}
	s->fake.unsafe_mode = "N";
	fake_fail(&s->fake, "enable_unsafe", EACCES, 0);
	assert_true(iommu_unsafe_mode(&s->fake.fs));
	scene_free(s);
}

static void group_and_members(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct iommu_group group = group_of(s, USB);

	(void)state;
	assert_int_equal(group.proof, IOMMU_PROVEN);
	assert_int_equal(group.id, 1);
	assert_int_equal(group.n, 4);
	for (size_t i = 1; i < group.n; i++)
		assert_true(pci_address_compare(group.members[i - 1], group.members[i]) <
			    0);
	iommu_group_finish(&group);
	scene_free(s);
}

static void large_group(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct iommu_group group;
	char address[32];

	(void)state;
	for (unsigned i = 0; i < 200; i++) {
		snprintf(address, sizeof(address), "0000:%02x:00.0", i + 16);
		fake_add(&s->fake, address, NULL, "8086:1234", "0000:0000", 0x020000, 77);
	}
	group = group_of(s, "0000:10:00.0");
	assert_int_equal(group.n, 200);
	assert_int_equal(group.id, 77);
	iommu_group_finish(&group);
	scene_free(s);
}

static void domain_types(void **state)
{
	static const char *const good[] = { "DMA", "DMA-FQ", "identity" };
	static const char *const bad[] = { "blocked", "unmanaged", "auto", "",
					   "dma",     "DMA-",	   NULL };
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		s->fake.group_type = good[i];
		expect_proof(s, IOMMU_PROVEN);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		s->fake.group_type = bad[i];
		expect_proof(s, IOMMU_E_INACTIVE);
	}
	scene_free(s);
}

static void vfio_made_it_up(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	s->fake.group_name = "vfio-noiommu";
	expect_proof(s, IOMMU_E_NO_IOMMU);
	s->fake.group_name = "some other";
	expect_proof(s, IOMMU_PROVEN);
	fake_fail(&s->fake, "/name", EIO, 0);
	expect_proof(s, IOMMU_E_INACTIVE);
	scene_free(s);
}

static void no_group(void **state)
{
	static const char *const links[] = { "../../../kernel/iommu_groups/",
					     "x",
					     "12x",
					     "-1",
					     "01",
					     "99999999999",
					     "4294967297" };
	struct scene *s = scene_new(scene_desktop);
	struct fake_function *gpu = fake_at(&s->fake, GPU);

	(void)state;
	gpu->group = FAKE_NONE;
	expect_proof(s, IOMMU_E_INACTIVE);
	gpu->group = 1;
	for (size_t i = 0; i < ARRAY_SIZE(links); i++) {
		s->fake.overlays[0].path = NULL;
		fake_overlay(&s->fake, PCI_DEVICES "/" GPU "/iommu_group", links[i]);
		expect_proof(s, IOMMU_E_INACTIVE);
	}
	s->fake.overlays[0].path = NULL;
	fake_fail(&s->fake, "iommu_group", EACCES, 1);
	expect_proof(s, IOMMU_E_INACTIVE);
	scene_free(s);
}

static void unlisted_group(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct iommu_group group;

	(void)state;
	fake_fail(&s->fake, "iommu_groups/1/devices", EACCES, 0);
	expect_proof(s, IOMMU_E_INACTIVE);
	s->fake.faults[0].error = ENOMEM;
	assert_int_equal(
		iommu_group_read(&s->fake.fs, fake_at(&s->fake, GPU)->address, &group),
		-ENOMEM);
	scene_free(s);
}

static void hints(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	assert_contains(iommu_missing_hint(&s->fake.fs), "firmware's set-up");
	s->fake.acpi_table = "DMAR";
	assert_contains(iommu_missing_hint(&s->fake.fs), "intel_iommu=on");
	s->fake.acpi_table = "IVRS";
	assert_contains(iommu_missing_hint(&s->fake.fs), "amd_iommu=off");
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(presence),
		cmocka_unit_test(unsafe_mode),
		cmocka_unit_test(group_and_members),
		cmocka_unit_test(large_group),
		cmocka_unit_test(domain_types),
		cmocka_unit_test(vfio_made_it_up),
		cmocka_unit_test(no_group),
		cmocka_unit_test(unlisted_group),
		cmocka_unit_test(hints),
	};

	return UNIT_RUN(tests);
}
