/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "scene.h"

static const uint64_t SERIAL = 0x000af7ffff201688;

/* What a line of the configuration demands; words as "serial=… unique=yes". */
static struct conf_function demanded(const char *address, const char *path,
				     const char *words)
{
	static struct conf conf;
	struct conf_error err;
	char text[512];
	int r;

	snprintf(text, sizeof(text),
		 "[claim x]\nfunction = %s path=%s id=10de:2484 subsystem=1043:87c1 "
		 "class=030000 %s",
		 address, path, words);
	r = conf_parse(text, &conf, &err);
	assert_that(r == 0, "%s", err.text);
	return conf.functions[0];
}

static struct identity_result find(struct scene *s, const char *path, const char *words)
{
	struct conf_function f = demanded(GPU, path, words);
	struct identity_result result;
	struct pci_list list;

	assert_int_equal(pci_scan(&s->fake.fs, &list), 0);
	identity_find(&s->fake.fs, &list, &f.identity, f.address, &result);
	pci_list_finish(&list);
	assert_int_equal(result.detail[0] == '\0', result.match == MATCH_EXACT);
	return result;
}

static void expect(struct scene *s, const char *path, const char *words, enum match match,
		   const char *at)
{
	struct identity_result result = find(s, path, words);
	char text[PCI_ADDRESS_LEN] = "";
	struct str str = STR_ON(text);

	if (result.function.known)
		pci_address_add(&str, result.function.address);
	assert_that(result.match == match, "path %s %s is %s at '%s', not %s: %s", path,
		    words, match_name(result.match), text, match_name(match),
		    result.detail);
	if (at)
		assert_string_equal(text, at);
}

#define AT_PATH "0000:00:01.0/00.0"
#define EMPTY_PATH "0000:00:05.0/00.0"
#define SERIAL_WORD "serial=00-0a-f7-ff-ff-20-16-88"

static void sits_at_its_path(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	expect(s, AT_PATH, "", MATCH_EXACT, GPU);
	expect(s, AT_PATH, "unique=yes", MATCH_EXACT, GPU);
	/* a twin elsewhere changes nothing */
	scene_add_twin(s);
	expect(s, AT_PATH, "", MATCH_EXACT, GPU);
	expect(s, "0000:00:03.0/00.0", "", MATCH_EXACT, TWIN);
	scene_free(s);
}

static void renumbered_bus_is_exact(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_add_twin(s);
	/* the buses swap: the address of the configuration is now the twin's */
	fake_at(&s->fake, GPU)->address.bus = 9;
	fake_at(&s->fake, TWIN)->address.bus = 1;
	expect(s, AT_PATH, "", MATCH_EXACT, "0000:09:00.0");
	expect(s, "0000:00:03.0/00.0", "", MATCH_EXACT, GPU);
	scene_free(s);
}

static void anything_else_there_is_changed(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct fake_function *gpu = fake_at(&s->fake, GPU);
	const struct fake_function as_it_was = *gpu;

	(void)state;
	scene_add_twin(s);
	for (unsigned field = 0; field < 5; field++) {
		*gpu = as_it_was;
		gpu->ids.vendor ^= field == 0;
		gpu->ids.device ^= field == 1;
		gpu->ids.subvendor ^= field == 2;
		gpu->ids.subdevice ^= field == 3;
		gpu->ids.class ^= field == 4;
		/* no search, although a twin sits elsewhere */
		expect(s, AT_PATH, "unique=yes", MATCH_CHANGED, GPU);
	}
	scene_free(s);
}

static void unreadable_is_changed(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	fake_fail(&s->fake, GPU "/config", EIO, 0);
	expect(s, AT_PATH, "", MATCH_CHANGED, NULL);
	s->fake.faults[0].error = 0;
	fake_fail(&s->fake, GPU "/uevent", EACCES, 0);
	expect(s, AT_PATH, "", MATCH_CHANGED, NULL);
	s->fake.faults[0].error = 0;
	s->fake.faults[1].error = 0;
	fake_fail(&s->fake, "/0000:0", EIO, 0);
	assert_int_not_equal(find(s, AT_PATH, "unique=yes").match, MATCH_EXACT);
	assert_int_not_equal(find(s, AT_PATH, "unique=yes").match, MATCH_MOVED);
	scene_free(s);
}

static void dead_device_is_absent(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_add_twin(s);
	fake_at(&s->fake, GPU)->dead = true;
	expect(s, AT_PATH, "unique=yes", MATCH_ABSENT, NULL);
	scene_free(s);
}

static void no_config_file_is_enough_without_a_serial(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	fake_at(&s->fake, GPU)->no_config = true;
	expect(s, AT_PATH, "", MATCH_EXACT, GPU);
	expect(s, AT_PATH, SERIAL_WORD, MATCH_CHANGED, NULL);
	scene_free(s);
}

static void serial_decides_at_the_path(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct fake_function *gpu = fake_at(&s->fake, GPU);

	(void)state;
	expect(s, AT_PATH, SERIAL_WORD, MATCH_CHANGED, GPU);
	gpu->has_serial = true;
	gpu->serial = SERIAL;
	expect(s, AT_PATH, SERIAL_WORD, MATCH_EXACT, GPU);
	/* a line without one does not ask */
	expect(s, AT_PATH, "", MATCH_EXACT, GPU);
	gpu->serial ^= 1;
	expect(s, AT_PATH, SERIAL_WORD, MATCH_CHANGED, GPU);
	gpu->serial ^= 1ULL << 63 | 1;
	expect(s, AT_PATH, SERIAL_WORD " unique=yes", MATCH_CHANGED, GPU);
	assert_contains(find(s, AT_PATH, SERIAL_WORD).detail, "800af7ffff201688");
	scene_free(s);
}

static void moved_needs_proof(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	expect(s, EMPTY_PATH, "", MATCH_ABSENT, NULL);
	expect(s, EMPTY_PATH, "unique=no", MATCH_ABSENT, NULL);
	expect(s, EMPTY_PATH, "unique=yes", MATCH_MOVED, GPU);
	scene_add_twin(s);
	expect(s, EMPTY_PATH, "unique=yes", MATCH_AMBIGUOUS, NULL);
	expect(s, EMPTY_PATH, "", MATCH_AMBIGUOUS, NULL);
	/* a twin with other ids is none */
	fake_at(&s->fake, TWIN)->ids.subdevice++;
	expect(s, EMPTY_PATH, "unique=yes", MATCH_MOVED, GPU);
	scene_free(s);
}

static void moved_card_is_told_from_its_twin_by_serial(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct fake_function *gpu = fake_at(&s->fake, GPU), *twin;

	(void)state;
	scene_add_twin(s);
	twin = fake_at(&s->fake, TWIN);
	expect(s, EMPTY_PATH, SERIAL_WORD " unique=yes", MATCH_ABSENT, NULL);
	twin->has_serial = true;
	twin->serial = SERIAL;
	expect(s, EMPTY_PATH, SERIAL_WORD, MATCH_MOVED, TWIN);
	gpu->has_serial = true;
	gpu->serial = SERIAL + 1;
	expect(s, EMPTY_PATH, SERIAL_WORD, MATCH_MOVED, TWIN);
	/* boards that were all given the same number */
	gpu->serial = SERIAL;
	expect(s, EMPTY_PATH, SERIAL_WORD " unique=yes", MATCH_AMBIGUOUS, NULL);
	scene_free(s);
}

static void dead_candidate_is_none(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	fake_at(&s->fake, GPU)->dead = true;
	expect(s, EMPTY_PATH, "unique=yes", MATCH_ABSENT, NULL);
	scene_free(s);
}

/*
 * A twin that cannot be read is there all the same: without a serial number, nothing
 * proves that the readable one is the card.
 */
static void unreadable_twin_is_a_candidate(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_add_twin(s);
	fake_fail(&s->fake, TWIN "/config", EIO, 0);
	assert_int_not_equal(find(s, EMPTY_PATH, "unique=yes").match, MATCH_MOVED);
	s->fake.faults[0].error = 0;
	fake_at(&s->fake, TWIN)->dead = true;
	assert_int_not_equal(find(s, EMPTY_PATH, "unique=yes").match, MATCH_MOVED);
	scene_free(s);
}

static void nobody_knows_what_an_unknown_function_is(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	scene_add_twin(s);
	fake_fail(&s->fake, TWIN "/uevent", EIO, 0);
	assert_int_not_equal(find(s, EMPTY_PATH, "unique=yes").match, MATCH_MOVED);
	scene_free(s);
}

static void two_functions_at_one_path_are_ambiguous(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct fake_function *other;

	(void)state;
	other = fake_add(&s->fake, "0000:06:00.0", ROOT_PORT, "10de:2484", "1043:87c1",
			 0x030000, 1);
	/* even though the address of the configuration is one of them */
	expect(s, AT_PATH, "", MATCH_AMBIGUOUS, NULL);
	other->ids.device++;
	assert_int_not_equal(find(s, AT_PATH, "").match, MATCH_MOVED);
	scene_free(s);
}

static void wide_domains(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	fake_add(&s->fake, "0000:00:0e.0", NULL, "8086:467f", "1043:8694", 0x010400, 8);
	fake_add(&s->fake, "10000:e0:1d.0", "0000:00:0e.0", "8086:43b0", "1043:8694",
		 0x060400, 8);
	fake_add(&s->fake, "10000:e1:00.0", "10000:e0:1d.0", "10de:2484", "1043:87c1",
		 0x030000, 8);
	expect(s, "10000:e0:1d.0/00.0", "", MATCH_EXACT, "10000:e1:00.0");
	expect(s, "0000:e0:1d.0/00.0", "", MATCH_AMBIGUOUS, NULL);
	expect(s, AT_PATH, "", MATCH_EXACT, GPU);
	scene_free(s);
}

static void match_words(void **state)
{
	(void)state;
	assert_string_equal(match_name(MATCH_ABSENT), "absent");
	assert_string_equal(match_name(MATCH_EXACT), "exact");
	assert_string_equal(match_name(MATCH_MOVED), "moved");
	assert_string_equal(match_name(MATCH_CHANGED), "changed");
	assert_string_equal(match_name(MATCH_AMBIGUOUS), "ambiguous");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(sits_at_its_path),
		cmocka_unit_test(renumbered_bus_is_exact),
		cmocka_unit_test(anything_else_there_is_changed),
		cmocka_unit_test(unreadable_is_changed),
		cmocka_unit_test(dead_device_is_absent),
		cmocka_unit_test(no_config_file_is_enough_without_a_serial),
		cmocka_unit_test(serial_decides_at_the_path),
		cmocka_unit_test(moved_needs_proof),
		cmocka_unit_test(moved_card_is_told_from_its_twin_by_serial),
		cmocka_unit_test(dead_candidate_is_none),
		cmocka_unit_test(unreadable_twin_is_a_candidate),
		cmocka_unit_test(nobody_knows_what_an_unknown_function_is),
		cmocka_unit_test(two_functions_at_one_path_are_ambiguous),
		cmocka_unit_test(wide_domains),
		cmocka_unit_test(match_words),
	};

	return UNIT_RUN(tests);
}
