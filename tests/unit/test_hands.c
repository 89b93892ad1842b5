/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Changing hands while the system runs: what the other driver refuses goes back. */
#include "unit.h"

#include <poll.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "hands.h"

static void there_and_back(void **state)
{
	struct scene *s = scene_new(hands_make), *before = scene_new(hands_make);

	(void)state;
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	assert_hands_claimed(s);
	assert_string_equal(s->fake.report_path, "run/vfio-claim/claimed.gaming");
	assert_int_equal(hands_claim(s), HANDOVER_NOTHING);
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_RELEASED);
	assert_string_equal(s->fake.report_path, "run/vfio-claim/released.gaming");
	assert_contains(hands_text, GPU " is on nouveau");
	assert_null(scene_not_as_found(s, before));
	scene_free(s);
	scene_free(before);
}

static void vfio_does_not_take_it(void **state)
{
	struct scene *s = scene_new(hands_make), *before = scene_new(hands_make);

	(void)state;
	for (unsigned skip = 0; skip < 3; skip++) {
		scene_copy(s, before);
		fake_fail(&s->fake, "vfio-pci/bind", EIO, 1)->skip = skip;
		assert_int_equal(hands_claim(s), HANDOVER_FAILED);
		assert_contains(hands_text, "bind-failed");
		assert_contains(hands_text, GPU " is as it was");
		assert_contains(hands_text, USB " is as it was");
		assert_null(scene_not_as_found(s, before));
	}
	scene_free(s);
	scene_free(before);
}

/* Nothing can be done then, but it is told, with what to do. */
static void neither_takes_it(void **state)
{
	struct scene *s = scene_new(hands_make);

	(void)state;
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	fake_fail(&s->fake, "nouveau/bind", EIO, 0);
	assert_int_equal(hands_claim(s), HANDOVER_FAILED);
	assert_contains(hands_text, "NOT given back: " GPU);
	assert_contains(hands_text, GPU " is on no driver (before: nouveau); load that");
	assert_contains(hands_text, AUDIO " is as it was");
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
	struct scene *s = scene_new(hands_make), *before = scene_new(hands_make);
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
	assert_int_equal(hands_claim(s), HANDOVER_IN_USE);
	assert_int_equal(looks, 1); /* the second look is the worker's */
	assert_contains(hands_text, "(pid 70) has /dev/nvidia0 open");
	assert_null(scene_not_as_found(s, before));
	scene_free(s);
	scene_free(before);
}

static void the_host_does_not_take_it(void **state)
{
	struct scene *s = scene_new(hands_make);

	(void)state;
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(hands_text, "NOT given back: " GPU);
	assert_contains(hands_text, "gaming is on vfio-pci again; load the host's");
	assert_hands_claimed(s);
	/* nor does vfio-pci again */
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(hands_text, "the host has it; load its driver");
	assert_driver(s, GPU, "");
	assert_driver(s, AUDIO, "snd_hda_intel");
	assert_string_equal(fake_at(&s->fake, GPU)->override, "");
	scene_free(s);
}

/* The host's, whatever drives it: a boot that was not good. */
static void the_host_keeps_it_all_the_same(void **state)
{
	struct scene *s = scene_new(hands_make);

	(void)state;
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	fake_driver(&s->fake, "nouveau")->probe_error = EIO;
	assert_int_equal(hands_release(s, RELEASE_SURELY, false), VERDICT_RELEASED);
	assert_contains(hands_text, GPU " has no driver of the host");
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

static long skipped_ms;

/* Nobody waits for a deadline while the worker is stuck: the time has passed. */
int poll(struct pollfd *fds, nfds_t n, int timeout_ms)
{
	const struct timespec tick = { .tv_nsec = 20 * 1000 * 1000 };
	int r = 0;

	for (int left = timeout_ms; left > 0 && r == 0; left -= 20) {
		if (trouble && trouble->stuck) {
			skipped_ms += left;
			return 0;
		}
		r = ppoll(fds, n, &tick, NULL);
	}
	return r;
}

int clock_gettime(clockid_t clock, struct timespec *ret)
{
	const int r = (int)syscall(SYS_clock_gettime, clock, ret);

	ret->tv_nsec += skipped_ms % 1000 * 1000000;
	ret->tv_sec += skipped_ms / 1000 + ret->tv_nsec / 1000000000;
	ret->tv_nsec %= 1000000000;
	return r;
}

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
	struct scene *s = scene_new(hands_make);

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
	trouble = NULL;
	scene_free(s);
}

static void what_was_not_taken_back_is_told(void **state)
{
	struct fs_ops ops;
	struct scene *s = scene_in_trouble(&ops);

	(void)state;
	trouble->dies_at = "vfio-pci/bind";
	assert_int_equal(hands_claim(s), HANDOVER_FAILED);
	assert_contains(hands_text,
			"ended unexpectedly, at: binding " GPU "; it was taken back");
	assert_driver(s, GPU, "nouveau");
	trouble->dies_at = "vfio-pci/bind";
	fake_fail(&s->fake, "nouveau/bind", EIO, 0);
	assert_int_equal(hands_claim(s), HANDOVER_FAILED);
	assert_null(strstr(hands_text, "it was taken back"));
	assert_contains(hands_text, "NOT given back: " GPU);
	assert_contains(hands_text, GPU " is on no driver (before: nouveau); load that");
	end_trouble(s);
}

/* It is said where, and vfio-pci has it as a whole, or it is not said so. */
static void release_does_not_end(void **state)
{
	struct fs_ops ops;
	struct scene *s = scene_in_trouble(&ops);

	(void)state;
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	trouble->dies_at = "nouveau/bind";
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(hands_text,
			"NOT given back as a whole: it ended unexpectedly, at: "
			"giving back " GPU "; vfio-pci has all of it again");
	assert_hands_claimed(s);
	trouble->dies_at = "vfio-pci/unbind";
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(hands_text,
			"at: unbinding " GPU "; vfio-pci has all of it again");
	assert_hands_claimed(s);
	trouble->dies_at = "nouveau/bind";
	fake_fail(&s->fake, "vfio-pci/bind", EIO, 0);
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(hands_text, "vfio-pci does not take it");
	assert_null(strstr(hands_text, "again"));
	end_trouble(s);
}

/* The host's driver hangs while it probes, and nothing is touched any more. */
static void release_hangs(void **state)
{
	struct fs_ops ops;
	struct scene *s = scene_in_trouble(&ops);

	(void)state;
	assert_int_equal(hands_claim(s), HANDOVER_DONE);
	trouble->hangs_at = "nouveau/bind";
	assert_int_equal(hands_release(s, RELEASE_WHOLE, true), VERDICT_FAILED);
	assert_contains(hands_text, "no end after 30 s, at: giving back " GPU
				    "; vfio-pci could not get it again: reboot");
	assert_driver(s, AUDIO, "");
	assert_string_equal(fake_at(&s->fake, AUDIO)->override, "");
	end_trouble(s);
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
	};

	return UNIT_RUN(tests);
}
