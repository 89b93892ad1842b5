/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Refusals that last, unlike the faults of test_faults.c. */
#include "unit.h"

#include "scene.h"

static void make(struct scene *s)
{
	scene_desktop(s);
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
}

static const char *detail(const struct scene *s)
{
	return s->state.report.claims[0].detail;
}

static void vfio_refuses_one_of_three(void **state)
{
	static const char *const functions[] = { GPU, AUDIO, USB };
	struct scene *s = scene_new(make), *before = scene_new(make);

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(functions); i++)
		for (int error = 0; error < 2; error++) {
			scene_copy(s, before);
			fake_fail(&s->fake, "vfio-pci/bind", error ? EBUSY : EAGAIN, 1)
				->skip = (unsigned)i;
			scene_run(s);
			assert_reason(s, "gaming", REASON_BIND_FAILED);
			assert_contains(detail(s), functions[i]);
			assert_contains(detail(s), error ? "busy" : "deferred");
			assert_null(strstr(detail(s), "NOT given back"));
			assert_null(scene_not_as_found(s, before));
		}
	scene_free(s);
	scene_free(before);
}

static void the_host_driver_is_gone(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	fake_fail(&s->fake, "xhci_hcd/bind", EIO, 0);
	scene_run_whole(s);
	assert_reason(s, "gaming", REASON_BIND_FAILED);
	assert_contains(detail(s), "NOT given back: " USB);
	assert_contains(s->fake.log[0], "<3>vfio-claim: ");
	assert_string_equal(fake_at(&s->fake, USB)->override, "");
	scene_free(s);
}

/* Unloaded meanwhile: it is loaded again, and takes its function at once. */
static void the_host_driver_is_loaded_again(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);
	struct fake_driver *xhci;

	(void)state;
	xhci = fake_driver(&s->fake, "xhci_hcd");
	xhci->loaded = true;
	xhci->loadable = true;
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	fake_overlay(&s->fake, PCI_DRIVERS "/xhci_hcd", NULL);
	scene_run(s);
	assert_int_equal(s->fake.loads, 2);
	assert_null(scene_not_as_found(s, before));
	scene_free(s);
	scene_free(before);
}

static void an_override_that_cannot_be_cleared_is_told(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	/* setting it works three times, clearing it never */
	fake_fail(&s->fake, "/driver_override", EIO, 0)->skip = 6;
	scene_run_whole(s);
	assert_string_equal(fake_at(&s->fake, USB)->override, "vfio-pci");
	assert_contains(detail(s), "NOT given back");
	assert_contains(s->fake.log[0], "<3>vfio-claim: ");
	scene_free(s);
}

static void an_override_of_others_comes_back(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);

	(void)state;
	str_copy(fake_at(&s->fake, AUDIO)->override, PCI_DRIVER_LEN, "pci-stub");
	scene_copy(before, s);
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	scene_run(s);
	assert_null(scene_not_as_found(s, before));
	scene_free(s);
	scene_free(before);
}

static void what_vfio_had_before_stays(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);

	(void)state;
	fake_core_load(&s->fake, "vfio-pci");
	str_copy(fake_at(&s->fake, AUDIO)->override, PCI_DRIVER_LEN, "vfio-pci");
	str_copy(fake_at(&s->fake, AUDIO)->driver, PCI_DRIVER_LEN, "vfio-pci");
	scene_copy(before, s);
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	scene_run(s);
	assert_reason(s, "gaming", REASON_BIND_FAILED);
	assert_null(scene_not_as_found(s, before));
	scene_copy(s, before);
	scene_run(s);
	assert_null(scene_not_claimed(s, before));
	scene_free(s);
	scene_free(before);
}

static void a_host_driver_that_waits_gets_it(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	/* loaded, and did not take the GPU before: rollback lets it probe again */
	fake_driver(&s->fake, "nouveau")->loaded = true;
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	scene_run(s);
	assert_driver(s, GPU, "nouveau");
	assert_null(strstr(detail(s), "NOT given back"));
	scene_free(s);
}

static void no_module(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);

	(void)state;
	s->fake.load_error = ENOEXEC;
	scene_run(s);
	assert_reason(s, "gaming", REASON_MODULE_UNAVAILABLE);
	assert_contains(detail(s), "not a module of this kernel");
	assert_null(scene_not_as_found(s, before));
	assert_int_equal(s->fake.writes, 0);
	/* it loads, they say */
	scene_copy(s, before);
	fake_overlay(&s->fake, PCI_DRIVERS "/vfio-pci", NULL);
	scene_run(s);
	assert_reason(s, "gaming", REASON_MODULE_UNAVAILABLE);
	assert_contains(detail(s), "its driver is missing");
	assert_int_equal(s->fake.writes, 0);
	scene_free(s);
	scene_free(before);
}

static void unsafe_mode_appears_with_the_module(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);

	(void)state;
	s->fake.unsafe_loaded = "Y";
	scene_run(s);
	assert_reason(s, "gaming", REASON_NO_IOMMU_MODE);
	assert_null(scene_not_as_found(s, before));
	assert_int_equal(s->fake.writes, 0);
	scene_free(s);
	scene_free(before);
}

/*
 * Whatever stands in modprobe.d: loading vfio-pci takes nothing but what was overridden.
 */
static void loading_takes_nothing_else(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	scene_add_twin(s);
	scene_run(s);
	assert_driver(s, TWIN, "");
	assert_driver(s, HOST_GPU, "");
	assert_driver(s, TWIN_AUDIO, "");
	scene_free(s);
}

static void builtin_vfio_is_not_loaded(void **state)
{
	struct scene *s = scene_new(make), *before;

	(void)state;
	fake_driver(&s->fake, "vfio-pci")->loaded = true;
	fake_driver(&s->fake, "vfio-pci")->loadable = false;
	s->fake.unsafe_mode = "N";
	before = scene_new(make);
	scene_run(s);
	assert_int_equal(s->fake.loads, 0);
	assert_null(scene_not_claimed(s, before));
	scene_free(s);
	scene_free(before);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(vfio_refuses_one_of_three),
		cmocka_unit_test(the_host_driver_is_gone),
		cmocka_unit_test(the_host_driver_is_loaded_again),
		cmocka_unit_test(an_override_that_cannot_be_cleared_is_told),
		cmocka_unit_test(an_override_of_others_comes_back),
		cmocka_unit_test(what_vfio_had_before_stays),
		cmocka_unit_test(a_host_driver_that_waits_gets_it),
		cmocka_unit_test(no_module),
		cmocka_unit_test(unsafe_mode_appears_with_the_module),
		cmocka_unit_test(loading_takes_nothing_else),
		cmocka_unit_test(builtin_vfio_is_not_loaded),
	};

	return UNIT_RUN(tests);
}
