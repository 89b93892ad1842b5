/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "variants.h"

#include "unit.h"

static void gpu_usb(struct scene *s)
{
	scene_desktop(s);
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
}

static void gpu_usb_only(struct scene *s)
{
	struct fake_function *audio;

	scene_desktop(s);
	audio = fake_at(&s->fake, AUDIO);
	audio->group = 7;
	scene_claim(s, "gaming", GPU, USB, NULL);
}

static void usb_first(struct scene *s)
{
	scene_desktop(s);
	fake_at(&s->fake, AUDIO)->group = 7;
	scene_claim(s, "gaming", USB, GPU, NULL);
}

static void vfio_there(struct scene *s)
{
	gpu_usb_only(s);
	fake_core_load(&s->fake, "vfio-pci");
}

/* driverctl was here: an override that is to be there again */
static void overridden(struct scene *s)
{
	vfio_there(s);
	str_copy(fake_at(&s->fake, USB)->override, PCI_DRIVER_LEN, "xhci_hcd");
}

/* a host driver that is loaded and took the GPU */
static void host_driver(struct scene *s)
{
	scene_desktop(s);
	fake_core_load(&s->fake, "nouveau");
	fake_core_load(&s->fake, "snd_hda_intel");
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
}

/* a hybrid laptop whose firmware draws on the 3D controller */
static void laptop(struct scene *s)
{
	scene_desktop(s);
	fake_at(&s->fake, GPU)->ids.class = 0x030200;
	s->fake.iomem = "00001000-0009ffff : System RAM\n"
			"c0000000-d1ffffff : PCI Bus 0000:01\n"
			"  c0000000-cfffffff : 0000:01:00.0\n"
			"    c0000000-c07e8fff : BOOTFB\n";
	s->fake.framebuffer =
		(struct fake_framebuffer){ "efi-framebuffer", "efi-framebuffer.0", true };
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
}

static void serials(struct scene *s)
{
	scene_desktop(s);
	scene_add_twin(s);
	fake_at(&s->fake, GPU)->has_serial = true;
	fake_at(&s->fake, GPU)->serial = 0x1122334455667788;
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
}

/* everything that can be set before it is bound */
static void settings(struct scene *s)
{
	scene_desktop(s);
	fake_add_offers(fake_at(&s->fake, GPU));
	fake_at(&s->fake, AUDIO)->group = 7;
	fake_at(&s->fake, USB)->group = 8;
	scene_claim(s, "gaming", GPU, NULL);
	scene_conf(s, "rebar = 1:16G\nreset = bus\nidle = d3hot\nvga = no\n");
}

const struct variant variants[] = {
	{ "gpu + audio + usb", gpu_usb },
	{ "gpu + usb", gpu_usb_only },
	{ "an old override", overridden },
	{ "vfio-pci loaded", vfio_there },
	{ "a 3D controller", laptop },
	{ "usb + gpu", usb_first },
	{ "host drivers bound", host_driver },
	{ "serial numbers", serials },
	{ "settings", settings },
};
const size_t variants_n = ARRAY_SIZE(variants);

unsigned variants_bad;

bool variants_whole(const struct scene *s)
{
	return s->state.report.n_claims == 1 &&
	       s->state.report.claims[0].outcome == OUTCOME_CLAIMED;
}

/* NULL if all is well. What the report says must be so, too. */
static const char *verdict(const struct scene *s, const struct scene *before)
{
	if (variants_whole(s))
		return scene_not_claimed(s, before);
	if (scene_reason(s, NULL) == REASON_NONE)
		return "no reason is given";
	return scene_not_as_found(s, before);
}

void variants_judge(const struct scene *s, const struct scene *before, const char *name)
{
	const char *wrong = verdict(s, before);

	for (unsigned i = 0; i < FAKE_FAULTS; i++) {
		const struct fake_fault *fault = &s->fake.faults[i];

		if (fault->error && fault->fired != 1 && !wrong)
			wrong = "a fault did not fire";
	}
	if (!wrong || variants_bad++ > 12)
		return;
	print_error("%s: %s\n", name, wrong);
	for (unsigned i = 0; i < FAKE_FAULTS; i++) {
		const struct fake_fault *fault = &s->fake.faults[i];

		if (fault->error)
			print_error("    access %u: %s, %s (fired %u times)\n", fault->at,
				    strerror(fault->error),
				    fault->after ? "after its effect" : "without effect",
				    fault->fired);
	}
	if (s->state.report.n_claims)
		print_error("    last failed at %s; %s\n", s->fake.hit_path,
			    s->state.report.claims[0].detail);
}

struct fake_fault fault_at(unsigned at, int error, bool after)
{
	return (struct fake_fault){ .at = at, .error = error, .after = after };
}
