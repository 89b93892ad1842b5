/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Giving back: all of it, with what was set for it, to whoever the host has for it. */
#include "unit.h"

#include <fcntl.h>
#include <unistd.h>

#include "hands.h"
#include "images.h"

/* ---- what came since the boot */

static void make_optional(struct scene *s)
{
	hands_make(s);
	s->conf[0] = '\0';
	scene_conf(s, "[claim gaming]\n");
	scene_add_line(s, fake_at(&s->fake, GPU), "");
	scene_add_line(s, fake_at(&s->fake, AUDIO), "optional=yes");
	scene_add_line(s, fake_at(&s->fake, USB), "");
}

/* The boot has claimed it without its audio, which was not there. */
static void write_report(struct scene *s)
{
	static char json[4096];
	static struct report boot;
	struct str out = STR_ON(json);

	boot = (struct report){ .stage = "start", .n_claims = 1, .n_functions = 3 };
	boot.claims[0] = (struct report_claim){ .name = "gaming",
						.outcome = OUTCOME_CLAIMED,
						.n = 3 };
	for (size_t i = 0; i < 3; i++) {
		static const char *const addresses[] = { GPU, AUDIO, USB };
		struct report_function *f = &boot.functions[i];

		assert_true(pci_address_parse(addresses[i], &f->configured));
		f->address = f->configured;
		f->optional = i == 1;
		f->found = !f->optional;
		f->match = f->found ? MATCH_EXACT : MATCH_ABSENT;
	}
	str_copy(boot.functions[0].previous_driver, PCI_DRIVER_LEN, "nouveau");
	report_add_json(&out, &boot);
	fake_overlay(&s->fake, REPORT_PATH, json);
}

static void what_came_since_the_boot_goes_back(void **state)
{
	struct scene *s = scene_new(make_optional), *before = scene_new(make_optional);

	(void)state;
	write_report(s);
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	assert_hands_claimed(s);
	assert_int_equal(hands_release_by_name(s), HANDOVER_DONE);
	assert_null(scene_not_as_found(s, before));
	/* what the boot knows is kept: what had a driver is to have one again */
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(hands_release_by_name(s), HANDOVER_FAILED);
	assert_hands_claimed(s);
	scene_free(s);
	scene_free(before);
}

/* ---- what was set before binding */

static void make_settings(struct scene *s)
{
	hands_make(s);
	fake_add_offers(fake_at(&s->fake, GPU));
	fake_add_offers(fake_at(&s->fake, AUDIO));
	s->conf[0] = '\0';
	scene_conf(s, "[claim gaming]\nreset = bus\nidle = d3hot\n");
	scene_add_line(s, fake_at(&s->fake, GPU), "");
	scene_add_line(s, fake_at(&s->fake, AUDIO), "idle=on");
	scene_add_line(s, fake_at(&s->fake, USB), "");
}

static void assert_set(struct scene *s)
{
	assert_hands_claimed(s);
	assert_string_equal(fake_at(&s->fake, GPU)->reset_method, "bus");
	assert_false(fake_at(&s->fake, GPU)->d3cold_allowed);
	assert_true(fake_at(&s->fake, AUDIO)->d3cold_allowed);
}

static void settings_go_with_the_claim(void **state)
{
	struct scene *s = scene_new(make_settings);

	(void)state;
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	assert_set(s);
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_RELEASED);
	assert_null(strstr(hands_text, "not as before"));
	assert_string_equal(fake_at(&s->fake, GPU)->reset_method, "flr bus");
	assert_true(fake_at(&s->fake, GPU)->d3cold_allowed);
	assert_string_equal(fake_at(&s->fake, AUDIO)->reset_method, "flr bus");
	scene_free(s);
}

static void settings_stay_with_what_is_rolled_back(void **state)
{
	struct scene *s = scene_new(make_settings);

	(void)state;
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_set(s);
	scene_free(s);
}

static void settings_that_stick_are_told(void **state)
{
	struct scene *s = scene_new(make_settings);

	(void)state;
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	fake_fail(&s->fake, GPU "/reset_method", EIO, 0);
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_RELEASED);
	assert_contains(hands_text, GPU ": reset = bus: not as before the claim: ");
	assert_driver(s, GPU, "nouveau");
	scene_free(s);
}

/* ---- nobody knows what drove it */

static size_t add(char *data, size_t n, const char *what, size_t len)
{
	memcpy(data + n, what, len);
	return n + len;
}

/* modules.alias.bin with one alias, as depmod writes it: a trie of one node. */
static void put_alias(const char *alias, const char *module)
{
	char data[256];
	size_t n = 0;

	n = add(data, n, "\xb0\x07\xf4\x57\0\2\0\1\xc0\0\0\x0c", 12);
	n = add(data, n, alias, strlen(alias) + 1);
	n = add(data, n, "\0\0\0\1\0\0\0\0", 8); /* one, of priority 0 */
	n = add(data, n, module, strlen(module) + 1);
	put_bytes("lib/modules/" REL "/modules.alias.bin", data, n, 0644);
}

#define CARD "pci:v000010DEd00002184sv00001458sd00003FC4bc03sc00i00"
#define OTHER_CARD "pci:v000010DEd00002185sv00001458sd00003FC4bc03sc00i00"

static void only_what_a_module_fits_goes_back_to_vfio(void **state)
{
	struct scene *s = scene_new(hands_make);

	(void)state;
	put_alias(CARD, "nouveau");
	s->fake.fs.root_fd = open(full(""), O_PATH | O_DIRECTORY);
	fake_overlay(&s->fake, "proc/sys/kernel/osrelease", REL "\n");
	fake_overlay(&s->fake, PCI_DEVICES "/" GPU "/modalias", CARD "\n");
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(hands_release(s, RELEASE_WHOLE, false), VERDICT_FAILED);
	assert_contains(hands_text, GPU " has no driver of the host");
	assert_contains(hands_text, "gaming is on vfio-pci again");
	assert_hands_claimed(s);
	put_alias(OTHER_CARD, "nouveau");
	assert_int_equal(hands_release(s, RELEASE_WHOLE, false), VERDICT_RELEASED);
	assert_contains(hands_text, GPU " has no driver of the host");
	assert_driver(s, GPU, "");
	assert_driver(s, AUDIO, "snd_hda_intel");
	close(s->fake.fs.root_fd);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_came_since_the_boot_goes_back),
		cmocka_unit_test(settings_go_with_the_claim),
		cmocka_unit_test(settings_stay_with_what_is_rolled_back),
		cmocka_unit_test(settings_that_stick_are_told),
		cmocka_unit_test(only_what_a_module_fits_goes_back_to_vfio),
	};

	return UNIT_RUN(tests);
}
