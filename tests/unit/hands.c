/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "hands.h"

#include "unit.h"

#define CLASS(address) PCI_DEVICES "/" address "/class"

char hands_text[1024];
struct holders hands_holders;

void hands_make(struct scene *s)
{
	scene_desktop(s);
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
	s->fake.cmdline = "ro quiet";
	s->fake.fs.captured = true; /* nothing is waited for */
	fake_overlay(&s->fake, CLASS(GPU), "0x030000\n");
	fake_core_load(&s->fake, "i915");
	fake_core_load(&s->fake, "nouveau");
	fake_core_load(&s->fake, "snd_hda_intel");
	fake_core_load(&s->fake, "vfio-pci");
}

enum handover hands_claim(struct scene *s)
{
	struct str what = STR_ON(hands_text);

	return handover_claim(&s->fake.fs, "gaming", false, &hands_holders, &what);
}

enum verdict hands_release(struct scene *s, enum release_how how, bool known)
{
	static struct report boot;
	static const char *const addresses[] = { GPU, AUDIO, USB };
	static const char *const drivers[] = { "nouveau", "snd_hda_intel", "xhci_hcd" };
	struct str what = STR_ON(hands_text);

	boot = (struct report){ .stage = "start", .n_claims = 1, .n_functions = 3 };
	boot.claims[0] = (struct report_claim){ .name = "gaming",
						.outcome = OUTCOME_CLAIMED,
						.n = 3 };
	for (size_t i = 0; i < ARRAY_SIZE(addresses); i++) {
		struct report_function *f = &boot.functions[i];

		f->found = pci_address_parse(addresses[i], &f->address);
		f->configured = f->address;
		if (known)
			str_copy(f->previous_driver, sizeof(f->previous_driver),
				 drivers[i]);
	}
	return release_claim(&s->fake.fs, &boot, &boot.claims[0], how, &hands_holders,
			     &what);
}

enum handover hands_release_by_name(struct scene *s)
{
	struct str what = STR_ON(hands_text);

	return handover_release(&s->fake.fs, "gaming", false, &hands_holders, &what);
}

void assert_hands_claimed(struct scene *s)
{
	static const char *const functions[] = { GPU, AUDIO, USB };

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		assert_driver(s, functions[i], "vfio-pci");
		assert_string_equal(fake_at(&s->fake, functions[i])->override,
				    "vfio-pci");
	}
}
