/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "held.h"

#include "unit.h"

struct fake_volume *boot_of(struct scene *s)
{
	return &s->fake.volumes[1];
}

static void machine(struct scene *s, const char *host)
{
	scene_desktop(s);
	scene_conf(s, "[host]\nrequire-display = no\n");
	scene_conf(s, host);
	scene_claim(s, "gaming", GPU, AUDIO, USB, NULL);
	s->fake.partitions = FIRST "\n" SECOND "\n";
	fake_add_partition(&s->fake, "/dev/sda1", FIRST);
	fake_add_partition(&s->fake, "/dev/sda2", SECOND);
}

void make(struct scene *s)
{
	machine(s, "");
}

void make_dark(struct scene *s)
{
	machine(s, "");
	fake_at(&s->fake, HOST_GPU)->ids.class = 0x028000;
}

void make_efi(struct scene *s)
{
	machine(s, "");
	s->fake.efi = true;
}

void make_two(struct scene *s)
{
	make_dark(s);
	fake_at(&s->fake, USB)->group = 7;
	s->conf[0] = '\0';
	scene_conf(s, "[host]\nrequire-display = no\n");
	scene_claim(s, "video", GPU, AUDIO, NULL);
	scene_claim(s, "usb", USB, NULL);
}

struct scene *held(void (*how)(struct scene *), struct scene **ret_before)
{
	struct scene *before = scene_new(how), *s = scene_new(how);

	scene_copy(s, before);
	scene_run(s);
	assert_true(s->fake.state_len > 0);
	s->fake.accesses = 0;
	*ret_before = before;
	return s;
}

void finish(struct scene *s, struct scene *before)
{
	assert_true(fake_unmounted());
	scene_free(s);
	scene_free(before);
}
