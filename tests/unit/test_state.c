/* SPDX-License-Identifier: GPL-2.0-or-later */
/* The file that start leaves to settle. */
#include "unit.h"

#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"
#include "state.h"

static struct start_state *some(void)
{
	struct start_state *s = calloc(1, sizeof(*s));

	s->hold = true;
	s->report.stage = "start";
	s->report.n_claims = 3;
	s->log.n = s->known = 2;
	s->max_attempts = 7;
	str_copy(s->partitions[0], RECORD_PARTUUID_LEN, "1234abcd-01");
	s->n_partitions = 1;
	return s;
}

static void there_and_back(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct start_state *in = some(), *out = calloc(1, sizeof(*out));

	(void)state;
	assert_int_equal(state_take(&s->fake.fs, out), -ENOENT);
	assert_int_equal(state_save(&s->fake.fs, in), 0);
	assert_int_equal(state_take(&s->fake.fs, out), 0);
	assert_string_equal(out->report.stage, "settle");
	out->report.stage = in->report.stage;
	assert_memory_equal(in, out, sizeof(*in));
	/* nobody settles twice */
	assert_int_equal(state_take(&s->fake.fs, out), -ENOENT);
	free(in);
	free(out);
	scene_free(s);
}

static void another_length(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct start_state *in = some(), *out = calloc(1, sizeof(*out));
	size_t whole;

	(void)state;
	assert_int_equal(state_save(&s->fake.fs, in), 0);
	whole = s->fake.state_len;
	for (size_t len = 1; len <= whole + 1;
	     len += len < 64 || len + 8 > whole ? 1 : 997) {
		assert_int_equal(state_save(&s->fake.fs, in), 0);
		s->fake.state_len = len;
		assert_that(state_take(&s->fake.fs, out) < 0 || len == whole, "%zu bytes",
			    len);
		assert_int_equal(out->n_partitions, len == whole);
		memset(out, 0, sizeof(*out));
		/* it is gone in any case that lets it be read */
		s->fake.state_len = 0;
	}
	free(in);
	free(out);
	scene_free(s);
}

static void another_build(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct start_state *in = some(), *out = calloc(1, sizeof(*out));

	(void)state;
	/* the name of the build, and the size that it believes in */
	for (size_t at = 0; at < 16 + sizeof(size_t); at++) {
		assert_int_equal(state_save(&s->fake.fs, in), 0);
		s->fake.state[at] ^= 1;
		assert_int_equal(state_take(&s->fake.fs, out), -EPROTO);
		assert_int_equal(out->n_partitions, 0);
		assert_int_equal(s->fake.state_len, 0);
	}
	free(in);
	free(out);
	scene_free(s);
}

static void errors_are_forwarded(void **state)
{
	static const int errors[] = { EIO, EROFS, ENOSPC };
	struct scene *s = scene_new(scene_desktop);
	struct start_state *in = some(), *out = calloc(1, sizeof(*out));

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(errors); i++) {
		memset(s->fake.faults, 0, sizeof(s->fake.faults));
		fake_fail(&s->fake, STATE_PATH, errors[i], 1);
		assert_int_equal(state_save(&s->fake.fs, in), -errors[i]);
		assert_int_equal(s->fake.state_len, 0);
		assert_int_equal(state_save(&s->fake.fs, in), 0);
		/* of reading it, and of taking it away: then it was not taken */
		for (unsigned skip = 0; skip < 2; skip++) {
			memset(s->fake.faults, 0, sizeof(s->fake.faults));
			fake_fail(&s->fake, STATE_PATH, errors[i], 1)->skip = skip;
			assert_int_equal(state_take(&s->fake.fs, out), -errors[i]);
			assert_int_equal(out->n_partitions, 0);
		}
		s->fake.state_len = 0;
	}
	free(in);
	free(out);
	scene_free(s);
}

/* What is settled is for event: it stays, whoever settles. */
static void settled(void **state)
{
	struct scene *s = scene_new(scene_desktop);
	struct start_state *in = some(), *out = calloc(1, sizeof(*out));

	(void)state;
	in->settled = true;
	assert_int_equal(state_save(&s->fake.fs, in), 0);
	for (int times = 0; times < 2; times++) {
		assert_int_equal(state_take(&s->fake.fs, out), -ENOENT);
		assert_int_equal(out->n_partitions, 0);
	}
	assert_int_equal(state_load(&s->fake.fs, out), 0);
	assert_int_equal(out->n_partitions, 1);
	free(in);
	free(out);
	scene_free(s);
}

/* One at a time: the second waits, and gives up where the first does not end. */
static void locked(void **state)
{
	char folder[256];
	struct fs root;
	int first;

	(void)state;
	snprintf(folder, sizeof(folder), "%s/run", getenv("UNIT_TMP"));
	assert_int_equal(mkdir(folder, 0755), 0);
	snprintf(folder, sizeof(folder), "%s/run/vfio-claim", getenv("UNIT_TMP"));
	assert_int_equal(mkdir(folder, 0755), 0);
	assert_int_equal(fs_init(&root, getenv("UNIT_TMP")), 0);
	first = state_lock(&root);
	assert_true(first >= 0);
	fake_slept_ms = 0;
	assert_int_equal(state_lock(&root), -EBUSY);
	assert_int_equal(fake_slept_ms, 12000);
	close(first);
	first = state_lock(&root);
	assert_true(first >= 0);
	close(first);
	fs_finish(&root);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(there_and_back), cmocka_unit_test(another_length),
		cmocka_unit_test(another_build),  cmocka_unit_test(errors_are_forwarded),
		cmocka_unit_test(settled),	  cmocka_unit_test(locked),
	};

	return UNIT_RUN(tests);
}
