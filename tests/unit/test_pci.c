/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "scene.h"

static struct pci_address address(const char *text)
{
	struct pci_address a;

	assert_true(pci_address_parse(text, &a));
	return a;
}

static void addresses_go_there_and_back(void **state)
{
	static const char *const good[] = { "0000:00:00.0", "0000:ff:1f.7",
					    "10000:e1:00.0", "ffffffff:ff:1f.7",
					    "abcd:0a:0b.1" };
	char text[PCI_ADDRESS_LEN];
	struct str s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		s = STR_ON(text);
		pci_address_add(&s, address(good[i]));
		assert_false(s.cut);
		assert_string_equal(text, good[i]);
	}
}

static void bad_addresses_are_refused(void **state)
{
	static const char *const bad[] = {
		"",
		"00:00.0",
		"000:00:00.0",
		"0000:00:00",
		"0000:00:00.",
		"0000:00:00.8",
		"0000:00:20.0",
		"0000:00:0.0",
		"0000:0:00.0",
		"0000:00:00.00",
		"0000:00:00.0 ",
		" 0000:00:00.0",
		"0000:00:00.0\n",
		"0000:00:00.0/",
		"0000-00:00.0",
		"0000:100:00.0",
		"000000000:00:00.0",
		"0000:00:00.0:pcie001",
		"0000:0g:00.0",
		"0x00:00:00.0",
		"consumer:pci:0000:00:00.0",
		"0000:00:00,0",
		"0000::00.0",
	};
	struct pci_address a = { 7, 7, 7 };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_that(!pci_address_parse(bad[i], &a), "'%s' is taken", bad[i]);
	assert_int_equal(a.domain, 7);
}

static void addresses_are_ordered(void **state)
{
	static const char *const sorted[] = { "0000:00:00.0", "0000:00:00.1",
					      "0000:00:1f.7", "0000:01:00.0",
					      "0000:ff:00.0", "0001:00:00.0",
					      "10000:00:00.0" };

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(sorted); i++)
		for (size_t k = 0; k < ARRAY_SIZE(sorted); k++) {
			int r = pci_address_compare(address(sorted[i]),
						    address(sorted[k]));

			assert_true(i < k ? r < 0 : i > k ? r > 0 : r == 0);
		}
}

#define DEEPEST                                                                         \
	"0000:00:00.0/00.1/00.2/00.3/00.4/00.5/00.6/00.7/01.0/01.1/01.2/01.3/01.4/01.5" \
	"/01.6/01.7/02.0"

static void paths_go_there_and_back(void **state)
{
	static const char *const good[] = {
		"0000:00:02.0",
		"0000:00:01.0/00.0",
		"10000:e0:1d.0/00.0/1f.7",
		DEEPEST,
	};
	static const char *const bad[] = {
		"",
		"0000:00:01.0/",
		"0000:00:01.0//00.0",
		"0000:00:01.0/0.0",
		"0000:00:01.0/00.8",
		"0000:00:01.0/20.0",
		"0000:00:01.0 /00.0",
		"0000:00:01.0/00.0/",
		"00:01.0/00.0",
		"0000:00:01.0/0000:01:00.0",
		"0000:00:01.0/00.00",
		"/00.0",
		"0000:00:01.0\\00.0",
		DEEPEST "/02.1",
	};
	struct pci_path path, other;
	char text[128];
	struct str s;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		assert_that(pci_path_parse(good[i], &path), "'%s' is refused", good[i]);
		s = STR_ON(text);
		pci_path_add(&s, &path);
		assert_string_equal(text, good[i]);
		assert_true(pci_path_parse(good[0], &other));
		assert_int_equal(pci_path_equal(&path, &other), i == 0);
	}
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_that(!pci_path_parse(bad[i], &path), "'%s' is taken", bad[i]);
}

static void ids_and_serials_are_strict(void **state)
{
	static const char *const bad_ids[] = {
		"",	  "10de",   "10de:", "10de:248",  "10de:24840", "10de:2484 ",
		"*:2484", "10de:*", "ffff",  "10de-2484", "0x10de:2484"
	};
	static const char *const bad_serials[] = {
		"",
		"00-0a-f7-ff-ff-20-16",
		"00-0a-f7-ff-ff-20-16-8",
		"000af7ffff201688",
		"00-0a-f7-ff-ff-20-16-88-",
		"00-0a-f7-ff-ff-20-16-88-00",
		"-0a-f7-ff-ff-20-16-88",
		"00:0a:f7:ff:ff:20:16:88",
		"00-0a-f7-ff-ff-20-16-gg",
		"00--0a-f7-ff-ff-20-16-88",
	};
	uint16_t a = 1, b = 2;
	uint64_t serial = 3;

	(void)state;
	assert_true(pci_id_parse("10de:2484", &a, &b));
	assert_int_equal(a, 0x10de);
	assert_int_equal(b, 0x2484);
	assert_true(pci_id_parse("10DE:228B", &a, &b));
	for (size_t i = 0; i < ARRAY_SIZE(bad_ids); i++)
		assert_that(!pci_id_parse(bad_ids[i], &a, &b), "'%s' is taken",
			    bad_ids[i]);
	assert_true(pci_serial_parse("00-0a-f7-FF-ff-20-16-88", &serial));
	assert_true(serial == 0x000af7ffff201688);
	for (size_t i = 0; i < ARRAY_SIZE(bad_serials); i++)
		assert_that(!pci_serial_parse(bad_serials[i], &serial), "'%s' is taken",
			    bad_serials[i]);
}

static void scan_is_sorted_and_whole(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	const struct pci_function *f;
	struct pci_list list;

	(void)state;
	scene_add_twin(s);
	fake_add(&s->fake, "10000:e1:00.0", NULL, "8086:0953", "8086:370d", 0x010802, 9);
	assert_int_equal(pci_scan(&s->fake.fs, &list), 0);
	assert_int_equal(list.n, s->fake.n_functions);
	for (size_t i = 1; i < list.n; i++)
		assert_true(pci_address_compare(list.functions[i - 1].address,
						list.functions[i].address) < 0);
	f = pci_find(&list, address(USB));
	assert_non_null(f);
	assert_true(f->known);
	assert_string_equal(f->driver, "xhci_hcd");
	assert_int_equal(f->ids.vendor, 0x10de);
	assert_int_equal(f->ids.device, 0x1ad8);
	assert_int_equal(f->ids.subvendor, 0x1043);
	assert_int_equal(f->ids.subdevice, 0x87c1);
	assert_int_equal(f->ids.class, 0x0c0330);
	assert_string_equal(pci_find(&list, address(GPU))->driver, "");
	assert_null(pci_find(&list, address("0000:05:00.0")));
	pci_list_finish(&list);
	assert_null(pci_find(&list, address(GPU)));
	scene_free(s);
}

/* what reading the uevent of a function gave, and what the scan makes of it */
static void scan_with(const char *uevent, int error, bool listed, bool known)
{
	struct scene *s = scene_new(scene_desktop);
	const struct pci_function *f;
	struct pci_list list;

	if (error)
		fake_fail(&s->fake, GPU "/uevent", error, 0);
	else
		fake_overlay(&s->fake, PCI_DEVICES "/" GPU "/uevent", uevent);
	assert_int_equal(pci_scan(&s->fake.fs, &list), 0);
	f = pci_find(&list, address(GPU));
	assert_that(!!f == listed, "%s: listed is wrong",
		    uevent ? uevent : strerror(error));
	if (f) {
		assert_that(f->known == known, "%s: known is wrong",
			    uevent ? uevent : strerror(error));
		if (!known)
			assert_true(!f->driver[0] && !f->ids.vendor && !f->ids.class);
	}
	pci_list_finish(&list);
	scene_free(s);
}

static void scan_meets_odd_uevents(void **state)
{
	char long_driver[256];

	(void)state;
	scan_with(NULL, ENOENT, false, false);
	scan_with(NULL, ENODEV, false, false);
	scan_with(NULL, EIO, true, false);
	scan_with(NULL, EACCES, true, false);
	scan_with("", 0, true, false);
	scan_with("PCI_CLASS=30000\nPCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C1\n", 0, true,
		  true);
	scan_with("PCI_SUBSYS_ID=1043:87C1\nX\n=\nPCI_ID=10DE:2484\nPCI_CLASS=30000", 0,
		  true, true);
	scan_with("PCI_CLASS=30000\nPCI_ID=10DE:2484\n", 0, true, false);
	scan_with("PCI_CLASS=30000\nPCI_SUBSYS_ID=1043:87C1\n", 0, true, false);
	scan_with("PCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C1\n", 0, true, false);
	scan_with("PCI_CLASS=3000000\nPCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C1\n", 0,
		  true, false);
	scan_with("PCI_CLASS=\nPCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C1\n", 0, true,
		  false);
	scan_with("PCI_CLASS=30000 \nPCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C1\n", 0,
		  true, false);
	scan_with("PCI_CLASS=30000\nPCI_ID=10DE:24840\nPCI_SUBSYS_ID=1043:87C1\n", 0,
		  true, false);
	scan_with("PCI_CLASS=30000\nPCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C10\n", 0,
		  true, false);
	scan_with("PCI_CLASS=30000\nPCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C1 \n", 0,
		  true, false);
	scan_with("PCI_CLASS=30000\nPCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C1,\n", 0,
		  true, false);
	strcpy(long_driver,
	       "PCI_CLASS=30000\nPCI_ID=10DE:2484\nPCI_SUBSYS_ID=1043:87C1\nDRIVER=");
	memset(long_driver + strlen(long_driver), 'x', 64);
	long_driver[strlen(long_driver)] = '\0';
	scan_with(long_driver, 0, true, false);
}

static void scan_fails_or_finds_nothing(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct pci_list list;

	(void)state;
	fake_fail(&s->fake, PCI_DEVICES, EIO, 1);
	assert_int_equal(pci_scan(&s->fake.fs, &list), -EIO);
	s->fake.faults[0].error = 0;
	fake_overlay(&s->fake, PCI_DEVICES, NULL);
	assert_int_equal(pci_scan(&s->fake.fs, &list), 0);
	assert_int_equal(list.n, 0);
	pci_list_finish(&list);
	scene_free(s);
}

static void resolve(struct scene *s, const char *text, int expected, const char *found)
{
	struct pci_path path;
	struct pci_address a;
	int r;

	assert_true(pci_path_parse(text, &path));
	r = pci_path_resolve(&s->fake.fs, &path, NULL, &a);
	assert_that(r == expected, "%s: %d", text, r);
	if (r == 0)
		assert_int_equal(pci_address_compare(a, address(found)), 0);
}

static void paths_lead_to_functions(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	/* a card with a switch of its own, behind bus numbers that nobody foresaw */
	fake_add(&s->fake, "0000:42:00.0", TWIN_PORT, "8086:4fa1", "8086:0000", 0x060400,
		 5);
	scene_add_twin(s);
	s->fake.functions[6].parent = fake_find(&s->fake, TWIN_PORT, strlen(TWIN_PORT));
	fake_add(&s->fake, "0000:43:04.0", "0000:42:00.0", "8086:4fa4", "8086:0000",
		 0x060400, 5);
	fake_add(&s->fake, "0000:44:00.0", "0000:43:04.0", "8086:56a0", "8086:1020",
		 0x030000, 5);
	fake_add(&s->fake, "0000:45:00.1", ROOT_PORT, "8086:56a0", "8086:1020", 0x030000,
		 5);
	resolve(s, HOST_GPU, 0, HOST_GPU);
	resolve(s, "0000:00:01.0/00.0", 0, GPU);
	resolve(s, "0000:00:01.0/00.2", 0, USB);
	resolve(s, "0000:00:03.0/00.0/04.0/00.0", -ENOTUNIQ, NULL);
	resolve(s, "0000:00:01.0/01.0", -ENOENT, NULL);
	resolve(s, "0000:00:02.0/00.0", -ENOENT, NULL);
	resolve(s, "0000:00:09.0", -ENOENT, NULL);
	resolve(s, "0000:00:09.0/00.0", -ENOENT, NULL);
	resolve(s, "0001:00:01.0/00.0", -ENOENT, NULL);
	/* with ARI or SR-IOV, two buses hang below one bridge */
	resolve(s, "0000:00:01.0/00.1", -ENOTUNIQ, NULL);
	fake_fail(&s->fake, PCI_DEVICES "/" ROOT_PORT, EIO, 0);
	resolve(s, "0000:00:01.0/00.0", -EIO, NULL);
	scene_free(s);
}

/* Where it once sat is only believed if the path from there is the same. */
static void hints_are_checked(void **state)
{
	static const char *const hints[] = { GPU, AUDIO, TWIN, HOST_GPU, "0000:07:00.0" };
	struct scene *s = scene_new(scene_desktop);
	struct pci_address hint, a;
	struct pci_path path;

	(void)state;
	scene_add_twin(s);
	assert_true(pci_path_parse("0000:00:01.0/00.0", &path));
	for (size_t i = 0; i < ARRAY_SIZE(hints); i++) {
		hint = address(hints[i]);
		assert_int_equal(pci_path_resolve(&s->fake.fs, &path, &hint, &a), 0);
		assert_int_equal(pci_address_compare(a, address(GPU)), 0);
	}
	hint = address(GPU);
	fake_fail(&s->fake, PCI_DEVICES "/" GPU, EIO, 0);
	assert_int_equal(pci_path_resolve(&s->fake.fs, &path, &hint, &a), 0);
	scene_free(s);
}

static void path_of(struct scene *s, const char *of, const char *target,
		    const char *expected, int error)
{
	struct pci_path path;
	char text[256];
	struct str str = STR_ON(text);
	int r;

	memset(s->fake.overlays, 0, sizeof(s->fake.overlays));
	snprintf(s->conf, sizeof(s->conf), PCI_DEVICES "/%s", of);
	if (target)
		fake_overlay(&s->fake, s->conf, target);
	r = pci_path_of(&s->fake.fs, address(of), &path);
	assert_that(r == error, "%s: %d", target ? target : of, r);
	if (r < 0)
		return;
	pci_path_add(&str, &path);
	assert_string_equal(text, expected);
}

static void functions_have_paths(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	fake_add(&s->fake, "0000:00:0e.0", NULL, "8086:467f", "1043:8694", 0x010400, 8);
	fake_add(&s->fake, "10000:e0:1d.0", "0000:00:0e.0", "8086:43b0", "1043:8694",
		 0x060400, 8);
	fake_add(&s->fake, "10000:e1:00.0", "10000:e0:1d.0", "144d:a80a", "144d:a801",
		 0x010802, 8);
	path_of(s, GPU, NULL, "0000:00:01.0/00.0", 0);
	path_of(s, HOST_GPU, NULL, HOST_GPU, 0);
	path_of(s, "10000:e1:00.0", NULL, "10000:e0:1d.0/00.0", 0);
	path_of(s, GPU,
		"../../../devices/platform/x/pci0000:00/0000:00:01.0/0000:01:00.0",
		"0000:00:01.0/00.0", 0);
	path_of(s, "0000:07:00.0", NULL, NULL, -ENOENT);
	path_of(s, GPU, "", NULL, -EPROTO);
	path_of(s, GPU, "../../../devices/pci0000:00", NULL, -EPROTO);
	path_of(s, GPU, "../../../devices/pci0000:00/0000:00:01.0", NULL, -EPROTO);
	scene_free(s);
}

static void display_and_bridge_classes(void **state)
{
	static const struct {
		uint32_t class;
		bool display, bridge;
	} cases[] = {
		{ 0x030000, true, false },  { 0x030100, true, false },
		{ 0x030200, true, false },  { 0x038000, true, false },
		{ 0x060400, false, true },  { 0x060000, false, true },
		{ 0x040300, false, false }, { 0x000300, false, false },
		{ 0x000100, false, false }, { 0x120000, false, false },
	};

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		const struct pci_ids ids = { .class = cases[i].class };

		assert_int_equal(pci_is_display(&ids), cases[i].display);
		assert_int_equal(pci_is_bridge(&ids), cases[i].bridge);
	}
}

/* The list of capabilities, as far as power management. */
static void power_capability(void **state)
{
	static const struct {
		char status, first;
		char id, next; /* at 0x40 */
		char second; /* the id at 0x50 */
		bool power;
	} lists[] = {
		{ 0x10, 0x40, 0x01, 0x00, 0x00, true },
		{ 0x00, 0x40, 0x01, 0x00, 0x00, false },
		{ 0x10, 0x40, 0x09, 0x50, 0x01, true },
		{ 0x10, 0x40, 0x09, 0x50, 0x05, false },
		{ 0x10, 0x40, 0x09, 0x00, 0x01, false },
		{ 0x10, 0x40, 0x09, 0x40, 0x01, false }, /* loops */
		{ 0x10, 0x43, 0x01, 0x00, 0x00, true },
		{ 0x10, 0x00, 0x01, 0x00, 0x00, false },
		{ 0x10, 0x3c, 0x01, 0x00, 0x00, false }, /* in the header */
	};
	const char *path = PCI_DEVICES "/0000:01:00.0/config";
	struct pci_address address = { .bus = 1 };
	static struct fake f;
	char bytes[256];
	bool power;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(lists); i++) {
		fake_init(&f);
		memset(bytes, 0, sizeof(bytes));
		bytes[0x06] = lists[i].status;
		bytes[0x34] = lists[i].first;
		bytes[0x40] = lists[i].id;
		bytes[0x41] = lists[i].next;
		bytes[0x50] = lists[i].second;
		f.overlays[0] = (struct fake_overlay){ path, bytes, sizeof(bytes) };
		assert_int_equal(pci_power_read(&f.fs, address, &power), 0);
		assert_that(power == lists[i].power, "list %zu", i);
		f.overlays[0].len = 64;
		assert_int_equal(pci_power_read(&f.fs, address, &power), -EPERM);
	}
	fake_init(&f);
	assert_int_equal(pci_power_read(&f.fs, address, &power), -ENOENT);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(power_capability),
		cmocka_unit_test(addresses_go_there_and_back),
		cmocka_unit_test(bad_addresses_are_refused),
		cmocka_unit_test(addresses_are_ordered),
		cmocka_unit_test(paths_go_there_and_back),
		cmocka_unit_test(ids_and_serials_are_strict),
		cmocka_unit_test(scan_is_sorted_and_whole),
		cmocka_unit_test(scan_meets_odd_uevents),
		cmocka_unit_test(scan_fails_or_finds_nothing),
		cmocka_unit_test(paths_lead_to_functions),
		cmocka_unit_test(hints_are_checked),
		cmocka_unit_test(functions_have_paths),
		cmocka_unit_test(display_and_bridge_classes),
	};

	return UNIT_RUN(tests);
}
