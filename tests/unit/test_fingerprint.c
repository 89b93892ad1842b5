/* SPDX-License-Identifier: GPL-2.0-or-later */
/* What makes a boot another one than that which was confirmed, and what does not. */
#include "unit.h"

#include "planned.h"

/* As conf_load() leaves it. */
static uint64_t fingerprint(struct planned *p)
{
	uint64_t one, again;

	plan_it(p);
	str_copy(p->conf.text, sizeof(p->conf.text), p->s->conf);
	one = plan_fingerprint(&p->conf, &p->machine, &p->plan);
	again = plan_fingerprint(&p->conf, &p->machine, &p->plan);
	assert_true(one && one == again);
	return one;
}

static struct planned *begin(void)
{
	struct planned *p = planned_new(NULL);

	scene_claim(p->s, "gaming", GPU, AUDIO, USB, NULL);
	return p;
}

static void kernel(struct planned *p)
{
	str_copy(p->s->fake.release, sizeof(p->s->fake.release), "6.1.0-tesu");
}

static void comment(struct planned *p)
{
	scene_conf(p->s, "#\n");
}

static void another_card(struct planned *p)
{
	scene_add_twin(p->s);
}

static void another_host_gpu(struct planned *p)
{
	fake_at(&p->s->fake, HOST_GPU)->ids.device++;
}

static void host_gpu_of_another_maker(struct planned *p)
{
	fake_at(&p->s->fake, HOST_GPU)->ids.subvendor++;
}

static void host_gpu_elsewhere(struct planned *p)
{
	fake_at(&p->s->fake, HOST_GPU)->address.devfn = 7 << 3;
}

static void no_host_gpu_but_another(struct planned *p)
{
	fake_at(&p->s->fake, HOST_GPU)->ids.class = 0x038000;
}

static void renumbered(struct planned *p)
{
	for (unsigned i = 3; i < 6; i++)
		p->s->fake.functions[i].address.bus = 9;
}

static void named(struct planned *p)
{
	scene_add_twin(p->s);
	scene_claim(p->s, "work", TWIN, TWIN_AUDIO, NULL);
}

static void (*const changing[])(struct planned *p) = {
	kernel,
	comment,
	another_card,
	another_host_gpu,
	host_gpu_of_another_maker,
	host_gpu_elsewhere,
	no_host_gpu_but_another,
	renumbered,
	named,
};

static void what_changes_it(void **state)
{
	uint64_t seen[ARRAY_SIZE(changing) + 1];
	struct planned *p = begin();

	(void)state;
	seen[0] = fingerprint(p);
	planned_free(p);
	for (size_t i = 0; i < ARRAY_SIZE(changing); i++) {
		p = begin();
		changing[i](p);
		seen[i + 1] = fingerprint(p);
		for (size_t k = 0; k <= i; k++)
			assert_that(seen[k] != seen[i + 1], "changes %zu and %zu", k,
				    i + 1);
		planned_free(p);
	}
}

/* Host boots and guest boots of boot = named alternate: neither is the other. */
static void what_a_boot_names(void **state)
{
	struct planned *p = begin();
	uint64_t host, guest;

	(void)state;
	scene_conf(p->s, "boot = named\n");
	scene_add_twin(p->s);
	scene_claim(p->s, "work", TWIN, TWIN_AUDIO, NULL);
	host = fingerprint(p);
	p->s->fake.cmdline = "vfio_claim=gaming,work";
	guest = fingerprint(p);
	assert_true(host != guest);
	p->s->fake.cmdline = "vfio_claim=work,gaming";
	assert_true(fingerprint(p) == guest);
	p->s->fake.cmdline = "vfio_claim=work";
	assert_true(fingerprint(p) == host);
	planned_free(p);
}

/* Claims that are refused for another reason are not part of it, and neither is why. */
static void what_is_claimed_this_time(void **state)
{
	struct planned *p = begin();
	uint64_t both, one;

	(void)state;
	scene_add_twin(p->s);
	scene_claim(p->s, "work", TWIN, TWIN_AUDIO, NULL);
	both = fingerprint(p);
	p->s->fake.cmdline = "vfio_claim=work";
	one = fingerprint(p);
	assert_true(one != both);
	p->s->fake.cmdline = "vfio_claim=gaming";
	assert_true(fingerprint(p) != one && fingerprint(p) != both);
	/* the rest of the command line makes no difference */
	p->s->fake.cmdline = "quiet splash vfio_claim=work root=/dev/sdb1";
	assert_true(fingerprint(p) == one);
	planned_free(p);
}

static void a_driver(struct planned *p)
{
	fake_core_load(&p->s->fake, "i915");
}

static void a_network_card(struct planned *p)
{
	fake_add(&p->s->fake, "0000:00:1f.6", NULL, "8086:15bc", "1043:8694", 0x020000,
		 9);
}

static void an_override(struct planned *p)
{
	str_copy(fake_at(&p->s->fake, USB)->override, PCI_DRIVER_LEN, "xhci_hcd");
}

static void another_group(struct planned *p)
{
	fake_at(&p->s->fake, HOST_GPU)->group = 12;
	p->s->fake.group_type = "DMA";
}

static void a_framebuffer(struct planned *p)
{
	p->s->fake.iomem = "e-f : 0000:01:00.0\n  1-2 : BOOTFB\n";
}

static void claimed_and_vfio_there(struct planned *p)
{
	fake_core_load(&p->s->fake, "vfio-pci");
	str_copy(fake_at(&p->s->fake, AUDIO)->driver, PCI_DRIVER_LEN, "vfio-pci");
}

static void (*const harmless[])(struct planned *p) = {
	a_driver,      a_network_card, an_override,
	another_group, a_framebuffer,  claimed_and_vfio_there,
};

static void what_must_not(void **state)
{
	struct planned *p = begin();
	const uint64_t before = fingerprint(p);

	(void)state;
	planned_free(p);
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		p = begin();
		harmless[i](p);
		/* the model loads modules, not the plan */
		p->s->fake.loads = 0;
		assert_that(fingerprint(p) == before, "change %zu", i);
		planned_free(p);
	}
}

/* The order in which the kernel lists them is none. */
static void the_order_of_the_list(void **state)
{
	struct planned *p = begin();
	struct fake *f = &p->s->fake;
	const uint64_t before = fingerprint(p);
	struct fake_function keep;

	(void)state;
	/* both are children of root buses without children */
	assert_int_equal(f->functions[0].parent, FAKE_NONE);
	keep = f->functions[0];
	f->functions[0] = f->functions[2];
	f->functions[2] = keep;
	assert_true(fingerprint(p) == before);
	planned_free(p);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(what_changes_it),
		cmocka_unit_test(what_a_boot_names),
		cmocka_unit_test(what_is_claimed_this_time),
		cmocka_unit_test(what_must_not),
		cmocka_unit_test(the_order_of_the_list),
	};

	return UNIT_RUN(tests);
}
