/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing hands while the system runs: what the other driver refuses goes back. */
#include "unit.h"

#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "handover.h"
#include "images.h"
#include "release.h"
#include "scene.h"

#define CLASS(address) PCI_DEVICES "/" address "/class"

static struct holders holders;
static char text[1024];

/* The host has all of it, and vfio-pci is loaded. */
static void make(struct scene *s)
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

static enum handover claim(struct scene *s)
{
	struct str what = STR_ON(text);

	return handover_claim(&s->fake.fs, "gaming", false, &holders, &what);
}

/* `known`: early boot has seen what drove it before. */
static enum verdict release(struct scene *s, enum release_how how, bool known)
{
	static struct report boot;
	static const char *const addresses[] = { GPU, AUDIO, USB };
	static const char *const drivers[] = { "nouveau", "snd_hda_intel", "xhci_hcd" };
	struct str what = STR_ON(text);

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
	return release_claim(&s->fake.fs, &boot, &boot.claims[0], how, &holders, &what);
}

static enum handover release_by_name(struct scene *s)
{
	struct str what = STR_ON(text);

	return handover_release(&s->fake.fs, "gaming", false, &holders, &what);
}

static void assert_claimed(struct scene *s)
{
	static const char *const functions[] = { GPU, AUDIO, USB };

	for (size_t i = 0; i < ARRAY_SIZE(functions); i++) {
		assert_driver(s, functions[i], "vfio-pci");
		assert_string_equal(fake_at(&s->fake, functions[i])->override,
				    "vfio-pci");
	}
}

static void there_and_back(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);

	(void)state;
	assert_int_equal(claim(s), HANDOVER_DONE);
	assert_claimed(s);
	assert_string_equal(s->fake.report_path, "run/vfio-claim/claimed.gaming");
	assert_int_equal(claim(s), HANDOVER_NOTHING);
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_RELEASED);
	assert_string_equal(s->fake.report_path, "run/vfio-claim/released.gaming");
	assert_contains(text, GPU " is on nouveau");
	assert_null(scene_not_as_found(s, before));
	scene_free(s);
	scene_free(before);
}

static void vfio_does_not_take_it(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);

	(void)state;
	for (unsigned skip = 0; skip < 3; skip++) {
		scene_copy(s, before);
		fake_fail(&s->fake, "vfio-pci/bind", EIO, 1)->skip = skip;
		assert_int_equal(claim(s), HANDOVER_FAILED);
		assert_contains(text, "bind-failed");
		assert_contains(text, GPU " is as it was");
		assert_contains(text, USB " is as it was");
		assert_null(scene_not_as_found(s, before));
	}
	scene_free(s);
	scene_free(before);
}

/* Nothing can be done then, but it is told, with what to do. */
static void neither_takes_it(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	fake_fail(&s->fake, "nouveau/bind", EIO, 0);
	assert_int_equal(claim(s), HANDOVER_FAILED);
	assert_contains(text, "NOT given back: " GPU);
	assert_contains(text, GPU " is on no driver (before: nouveau); load that");
	assert_contains(text, AUDIO " is as it was");
	scene_free(s);
}

/* ---- somebody opens it once it was looked at */

static unsigned looks;

static int list_late(struct fs *fs, const char *path, fs_name_fn *fn, void *arg)
{
	if (str_equal(path, "proc"))
		return ++looks > 1 ? fn(arg, "70") : 0;
	if (str_equal(path, "proc/70/fd"))
		return fn(arg, "3");
	return fake_files.list(fs, path, fn, arg);
}

static int link_late(struct fs *fs, const char *path, char *buf, size_t size)
{
	if (!str_equal(path, "proc/70/fd/3"))
		return fake_files.link(fs, path, buf, size);
	str_copy(buf, size, "/dev/nvidia0");
	return 0;
}

static void opened_in_between(void **state)
{
	struct scene *s = scene_new(make), *before = scene_new(make);
	struct fs_ops ops = fake_files;

	(void)state;
	ops.list = list_late;
	ops.link = link_late;
	looks = 0;
	s->fake.fs.ops = &ops;
	fake_driver(&s->fake, "nouveau")->name = "nvidia";
	fake_overlay(&s->fake, PCI_DEVICES "/" GPU "/drm", NULL);
	str_copy(fake_at(&s->fake, GPU)->driver, PCI_DRIVER_LEN, "nvidia");
	str_copy(fake_at(&before->fake, GPU)->driver, PCI_DRIVER_LEN, "nvidia");
	assert_int_equal(claim(s), HANDOVER_IN_USE);
	assert_int_equal(looks, 1); /* the second look is the worker's */
	assert_contains(text, "(pid 70) has /dev/nvidia0 open");
	assert_null(scene_not_as_found(s, before));
	scene_free(s);
	scene_free(before);
}

static void the_host_does_not_take_it(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	assert_int_equal(claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(text, "NOT given back: " GPU);
	assert_contains(text, "gaming is on vfio-pci again; load the host's");
	assert_claimed(s);
	/* nor does vfio-pci again */
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(text, "the host has it; load its driver");
	assert_driver(s, GPU, "");
	assert_driver(s, AUDIO, "snd_hda_intel");
	assert_string_equal(fake_at(&s->fake, GPU)->override, "");
	scene_free(s);
}

/* The host's, whatever drives it: a boot that was not good. */
static void the_host_keeps_it_all_the_same(void **state)
{
	struct scene *s = scene_new(make);

	(void)state;
	assert_int_equal(claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(release(s, RELEASE_SURELY, false), VERDICT_RELEASED);
	assert_contains(text, GPU " has no driver of the host");
	assert_driver(s, GPU, "");
	assert_driver(s, AUDIO, "snd_hda_intel");
	assert_string_equal(fake_at(&s->fake, GPU)->override, "");
	scene_free(s);
}

/* ---- a worker that does not come to its end */

static struct {
	const char *dies_at, *hangs_at; /* the write, once */
	bool stuck; /* the GPU's lock is held, for ever */
} * trouble;

static int write_in_trouble(struct fs *fs, const char *path, const char *data, size_t len)
{
	if (trouble->dies_at && strstr(path, trouble->dies_at)) {
		trouble->dies_at = NULL;
		raise(SIGKILL);
	}
	if (trouble->hangs_at && strstr(path, trouble->hangs_at))
		trouble->stuck = true;
	while (trouble->stuck)
		pause();
	return fake_files.write(fs, path, data, len);
}

static int read_in_trouble(struct fs *fs, const char *path, enum fs_extent extent,
			   char *buf, size_t size, size_t *ret_len, struct fs_meta *meta)
{
	while (trouble->stuck && strstr(path, GPU "/driver_override"))
		pause();
	return fake_files.read(fs, path, extent, buf, size, ret_len, meta);
}

static struct scene *scene_in_trouble(struct fs_ops *ops)
{
	struct scene *s = scene_new(make);

	*ops = fake_files;
	ops->write = write_in_trouble;
	ops->read = read_in_trouble;
	s->fake.fs.ops = ops;
	trouble = mmap(NULL, sizeof(*trouble), PROT_READ | PROT_WRITE,
		       MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	assert_true(trouble != MAP_FAILED);
	return s;
}

static void end_trouble(struct scene *s)
{
	munmap(trouble, sizeof(*trouble));
	scene_free(s);
}

static void what_was_not_taken_back_is_told(void **state)
{
	struct fs_ops ops;
	struct scene *s = scene_in_trouble(&ops);

	(void)state;
	trouble->dies_at = "vfio-pci/bind";
	assert_int_equal(claim(s), HANDOVER_FAILED);
	assert_contains(text,
			"ended unexpectedly, at: binding " GPU "; it was taken back");
	assert_driver(s, GPU, "nouveau");
	trouble->dies_at = "vfio-pci/bind";
	fake_fail(&s->fake, "nouveau/bind", EIO, 0);
	assert_int_equal(claim(s), HANDOVER_FAILED);
	assert_null(strstr(text, "it was taken back"));
	assert_contains(text, "NOT given back: " GPU);
	assert_contains(text, GPU " is on no driver (before: nouveau); load that");
	end_trouble(s);
}

/* It is said where, and vfio-pci has it as a whole, or it is not said so. */
static void release_does_not_end(void **state)
{
	struct fs_ops ops;
	struct scene *s = scene_in_trouble(&ops);

	(void)state;
	assert_int_equal(claim(s), HANDOVER_DONE);
	trouble->dies_at = "nouveau/bind";
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(text, "NOT given back as a whole: it ended unexpectedly, at: "
			      "giving back " GPU "; vfio-pci has all of it again");
	assert_claimed(s);
	trouble->dies_at = "vfio-pci/unbind";
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(text, "at: unbinding " GPU "; vfio-pci has all of it again");
	assert_claimed(s);
	trouble->dies_at = "nouveau/bind";
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(text, "vfio-pci does not take it");
	assert_null(strstr(text, "again"));
	end_trouble(s);
}

/* The host's driver hangs while it probes, and nothing is touched any more. */
static void release_hangs(void **state)
{
	struct fs_ops ops;
	struct scene *s = scene_in_trouble(&ops);

	(void)state;
	assert_int_equal(claim(s), HANDOVER_DONE);
	trouble->hangs_at = "nouveau/bind";
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(text, "no end after 30 s, at: giving back " GPU
			      "; vfio-pci could not get it again: reboot");
	assert_driver(s, AUDIO, "");
	assert_string_equal(fake_at(&s->fake, AUDIO)->override, "");
	end_trouble(s);
}

/* ---- what came since the boot */

static void make_optional(struct scene *s)
{
	make(s);
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
	assert_int_equal(claim(s), HANDOVER_DONE);
	assert_claimed(s);
	assert_int_equal(release_by_name(s), HANDOVER_DONE);
	assert_null(scene_not_as_found(s, before));
	/* what the boot knows is kept: what had a driver is to have one again */
	assert_int_equal(claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(release_by_name(s), HANDOVER_FAILED);
	assert_claimed(s);
	scene_free(s);
	scene_free(before);
}

/* ---- what was set before binding */

static void make_settings(struct scene *s)
{
	make(s);
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
	assert_claimed(s);
	assert_string_equal(fake_at(&s->fake, GPU)->reset_method, "bus");
	assert_false(fake_at(&s->fake, GPU)->d3cold_allowed);
	assert_true(fake_at(&s->fake, AUDIO)->d3cold_allowed);
}

static void settings_go_with_the_claim(void **state)
{
	struct scene *s = scene_new(make_settings);

	(void)state;
	assert_int_equal(claim(s), HANDOVER_DONE);
	assert_set(s);
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_RELEASED);
	assert_null(strstr(text, "not as before"));
	assert_string_equal(fake_at(&s->fake, GPU)->reset_method, "flr bus");
	assert_true(fake_at(&s->fake, GPU)->d3cold_allowed);
	assert_string_equal(fake_at(&s->fake, AUDIO)->reset_method, "flr bus");
	scene_free(s);
}

static void settings_stay_with_what_is_rolled_back(void **state)
{
	struct scene *s = scene_new(make_settings);

	(void)state;
	assert_int_equal(claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_set(s);
	scene_free(s);
}

static void settings_that_stick_are_told(void **state)
{
	struct scene *s = scene_new(make_settings);

	(void)state;
	assert_int_equal(claim(s), HANDOVER_DONE);
	fake_fail(&s->fake, GPU "/reset_method", EIO, 0);
	assert_int_equal(release(s, RELEASE_WHOLE, true), VERDICT_RELEASED);
	assert_contains(text, GPU ": reset = bus: not as before the claim: ");
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
	struct scene *s = scene_new(make);

	(void)state;
	put_alias(CARD, "nouveau");
	s->fake.fs.root_fd = open(full(""), O_PATH | O_DIRECTORY);
	fake_overlay(&s->fake, "proc/sys/kernel/osrelease", REL "\n");
	fake_overlay(&s->fake, PCI_DEVICES "/" GPU "/modalias", CARD "\n");
	assert_int_equal(claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(release(s, RELEASE_WHOLE, false), VERDICT_FAILED);
	assert_contains(text, GPU " has no driver of the host");
	assert_contains(text, "gaming is on vfio-pci again");
	assert_claimed(s);
	put_alias(OTHER_CARD, "nouveau");
	assert_int_equal(release(s, RELEASE_WHOLE, false), VERDICT_RELEASED);
	assert_contains(text, GPU " has no driver of the host");
	assert_driver(s, GPU, "");
	assert_driver(s, AUDIO, "snd_hda_intel");
	close(s->fake.fs.root_fd);
	scene_free(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back),
		cmocka_unit_test(vfio_does_not_take_it),
		cmocka_unit_test(neither_takes_it),
		cmocka_unit_test(opened_in_between),
		cmocka_unit_test(the_host_does_not_take_it),
		cmocka_unit_test(the_host_keeps_it_all_the_same),
		cmocka_unit_test(what_was_not_taken_back_is_told),
		cmocka_unit_test(release_does_not_end),
		cmocka_unit_test(release_hangs),
		cmocka_unit_test(what_came_since_the_boot_goes_back),
		cmocka_unit_test(settings_go_with_the_claim),
		cmocka_unit_test(settings_stay_with_what_is_rolled_back),
		cmocka_unit_test(settings_that_stick_are_told),
		cmocka_unit_test(only_what_a_module_fits_goes_back_to_vfio),
	};

	return UNIT_RUN(tests);
}
