/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "driver.h"
#include "scene.h"

static struct pci_address at(struct scene *s, const char *address)
{
	return fake_at(&s->fake, address)->address;
}

static void which_driver(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	char name[PCI_DRIVER_LEN];

	(void)state;
	assert_int_equal(driver_current(&s->fake.fs, at(s, USB), name), 0);
	assert_string_equal(name, "xhci_hcd");
	assert_int_equal(driver_current(&s->fake.fs, at(s, GPU), name), 0);
	assert_string_equal(name, "");
	fake_fail(&s->fake, USB "/driver", EACCES, 0);
	assert_int_equal(driver_current(&s->fake.fs, at(s, USB), name), -EACCES);
	assert_true(driver_present(&s->fake.fs, "xhci_hcd"));
	assert_false(driver_present(&s->fake.fs, "vfio-pci"));
	scene_free(s);
}

static void long_driver_names(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	char name[PCI_DRIVER_LEN], target[128] = "../../../../bus/pci/drivers/";
	size_t len = strlen(target);

	(void)state;
	memset(target + len, 'x', PCI_DRIVER_LEN - 1);
	fake_overlay(&s->fake, PCI_DEVICES "/" GPU "/driver", target);
	assert_int_equal(driver_current(&s->fake.fs, at(s, GPU), name), 0);
	assert_int_equal(strlen(name), PCI_DRIVER_LEN - 1);
	target[strlen(target)] = 'x';
	assert_int_equal(driver_current(&s->fake.fs, at(s, GPU), name), -ENAMETOOLONG);
	scene_free(s);
}

static void overrides(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct fake_function *gpu = fake_at(&s->fake, GPU);
	char name[PCI_DRIVER_LEN], longest[PCI_DRIVER_LEN + 1] = "";

	(void)state;
	for (int newer = 0; newer < 2; newer++) {
		s->fake.no_override = newer ? "" : "(null)";
		assert_int_equal(driver_override_read(&s->fake.fs, at(s, GPU), name), 0);
		assert_string_equal(name, "");
		assert_int_equal(
			driver_override_write(&s->fake.fs, at(s, GPU), "vfio-pci"), 0);
		assert_string_equal(gpu->override, "vfio-pci");
		assert_int_equal(driver_override_read(&s->fake.fs, at(s, GPU), name), 0);
		assert_string_equal(name, "vfio-pci");
		/* clearing it must reach the kernel */
		assert_int_equal(driver_override_write(&s->fake.fs, at(s, GPU), ""), 0);
		assert_string_equal(gpu->override, "");
	}
	memset(longest, 'x', PCI_DRIVER_LEN - 1);
	assert_int_equal(driver_override_write(&s->fake.fs, at(s, GPU), longest), 0);
	assert_string_equal(gpu->override, longest);
	longest[PCI_DRIVER_LEN - 1] = 'x';
	assert_int_not_equal(driver_override_write(&s->fake.fs, at(s, GPU), longest), 0);
	scene_free(s);
}

/* The model of the kernel itself, seen through the calls. */
static void bind_and_unbind(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct fs *fs = &s->fake.fs;

	(void)state;
	assert_int_equal(driver_bind(fs, at(s, GPU), "vfio-pci"), -ENOENT);
	fake_core_load(&s->fake, "vfio-pci");
	assert_int_equal(driver_bind(fs, at(s, GPU), "vfio-pci"), -ENODEV);
	assert_int_equal(driver_override_write(fs, at(s, GPU), "vfio-pci"), 0);
	assert_driver(s, GPU, "");
	assert_int_equal(driver_bind(fs, at(s, GPU), "vfio-pci"), 0);
	assert_driver(s, GPU, "vfio-pci");
	assert_int_equal(driver_bind(fs, at(s, GPU), "vfio-pci"), -EBUSY);
	assert_int_equal(driver_unbind(fs, at(s, GPU), "xhci_hcd"), -ENODEV);
	assert_int_equal(driver_unbind(fs, at(s, GPU), "vfio-pci"), 0);
	assert_int_equal(driver_unbind(fs, at(s, GPU), "vfio-pci"), -ENODEV);
	assert_int_equal(driver_override_write(fs, at(s, USB), "vfio-pci"), 0);
	assert_int_equal(driver_bind(fs, at(s, USB), "vfio-pci"), -EBUSY);
	assert_driver(s, USB, "xhci_hcd");
	scene_free(s);
}

static void probing_says_nothing(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct fs *fs = &s->fake.fs;

	(void)state;
	assert_int_equal(driver_probe(fs, at(s, GPU)), 0);
	assert_driver(s, GPU, "");
	fake_driver(&s->fake, "nouveau")->loaded = true;
	assert_int_equal(driver_override_write(fs, at(s, GPU), "vfio-pci"), 0);
	assert_int_equal(driver_probe(fs, at(s, GPU)), 0);
	assert_driver(s, GPU, "");
	assert_int_equal(driver_override_write(fs, at(s, GPU), ""), 0);
	assert_int_equal(driver_probe(fs, at(s, GPU)), 0);
	assert_driver(s, GPU, "nouveau");
	scene_free(s);
}

static void vfio_refuses(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct fs *fs = &s->fake.fs;

	(void)state;
	fake_core_load(&s->fake, "vfio-pci");
	fake_at(&s->fake, ROOT_PORT)->driver[0] = '\0';
	assert_int_equal(driver_override_write(fs, at(s, ROOT_PORT), "vfio-pci"), 0);
	assert_int_equal(driver_bind(fs, at(s, ROOT_PORT), "vfio-pci"), -EINVAL);
	assert_int_equal(driver_override_write(fs, at(s, GPU), "vfio-pci"), 0);
	fake_at(&s->fake, GPU)->group = FAKE_NONE;
	assert_int_equal(driver_bind(fs, at(s, GPU), "vfio-pci"), -EINVAL);
	fake_at(&s->fake, GPU)->group = 1;
	fake_at(&s->fake, GPU)->numvfs = 4;
	assert_int_equal(driver_bind(fs, at(s, GPU), "vfio-pci"), -EBUSY);
	fake_at(&s->fake, GPU)->numvfs = 0;
	fake_driver(&s->fake, "vfio-pci")->probe_error = FAKE_DEFER;
	assert_int_equal(driver_bind(fs, at(s, GPU), "vfio-pci"), -EAGAIN);
	assert_driver(s, GPU, "");
	scene_free(s);
}

static void loading_takes_what_matches(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	assert_int_equal(driver_override_write(&s->fake.fs, at(s, GPU), "vfio-pci"), 0);
	fake_core_load(&s->fake, "nouveau");
	assert_driver(s, GPU, "");
	fake_core_load(&s->fake, "i915");
	assert_driver(s, HOST_GPU, "i915");
	fake_core_load(&s->fake, "vfio-pci");
	assert_driver(s, GPU, "vfio-pci");
	assert_driver(s, AUDIO, "");
	assert_int_equal(fake_core_load(&s->fake, "no-such"), -ENOENT);
	scene_free(s);
}

static void accepted_by_vfio(void **state)
{
	static const char *const good[] = { "vfio-pci", "pci-stub", "pcieport",
					    "mlx5_vfio_pci", "nvgrace-gpu-vfio-pci" };
	static const char *const bad[] = { "",		"nouveau",   "xhci_hcd",
					   "vfio-pci2", "pcieport2", "vfio-pc",
					   "pci",	"fio-pci",   "snd_hda_intel",
					   "vfio" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_that(driver_vfio_accepts(good[i]), "%s", good[i]);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_that(!driver_vfio_accepts(bad[i]), "'%s'", bad[i]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(which_driver),
		cmocka_unit_test(long_driver_names),
		cmocka_unit_test(overrides),
		cmocka_unit_test(bind_and_unbind),
		cmocka_unit_test(probing_says_nothing),
		cmocka_unit_test(vfio_refuses),
		cmocka_unit_test(loading_takes_what_matches),
		cmocka_unit_test(accepted_by_vfio),
	};

	return UNIT_RUN(tests);
}
