/* SPDX-License-Identifier: GPL-2.0-or-later */
/* Limits of the configuration, its file, and mutations of it. */
#include "unit.h"

#include <sys/stat.h>
#include <unistd.h>

#include "scene.h"

static struct conf conf;
static struct conf_error err;

static int load(struct scene *s)
{
	memset(&conf, 0xa5, sizeof(conf));
	memset(&err, 0, sizeof(err));
	return conf_load(&s->fake.fs, CONF_PATH, &conf, &err);
}

/* `claims` claims that share `functions` function lines. */
static void fill(struct scene *s, unsigned claims, unsigned functions)
{
	char line[256];
	unsigned done = 0;

	s->conf[0] = '\0';
	for (unsigned c = 0; c < claims; c++) {
		snprintf(line, sizeof(line), "[claim c%u]\n", c);
		scene_conf(s, line);
		for (; done < functions * (c + 1) / claims; done++) {
			snprintf(line, sizeof(line),
				 "function = 0000:%02x:00.0 path=0000:00:%02x.%u/00.0 "
				 "id=10de:2484 subsystem=1043:87c1 class=030000\n",
				 done % 256, done / 8, done % 8);
			if (done >= 256)
				memcpy(strstr(line, "/00.0"), "/01.0", 5);
			scene_conf(s, line);
		}
	}
}

static void limits(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	fill(s, 64, 256);
	assert_int_equal(load(s), 0);
	assert_int_equal(conf.n_claims, 64);
	assert_int_equal(conf.n_functions, 256);
	assert_int_equal(conf.claims[63].first + conf.claims[63].n, 256);
	fill(s, 65, 65);
	assert_int_equal(load(s), -EINVAL);
	assert_int_equal(err.line, 64 * 2 + 1);
	assert_contains(err.text, "more than 64 claims");
	fill(s, 1, 256);
	assert_int_equal(load(s), 0);
	scene_conf(s, "function = 0000:ff:00.0 path=0000:ff:00.0 id=10de:2484 "
		      "subsystem=1043:87c1 class=030000\n");
	assert_int_equal(load(s), -EINVAL);
	assert_int_equal(err.line, 258);
	assert_contains(err.text, "more than 256 functions");
	scene_free(s);
}

static void size_limit(void **state)
{
	char *text = malloc(CONF_MAX_SIZE + 2);
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	memset(text, '\n', CONF_MAX_SIZE + 1);
	text[CONF_MAX_SIZE] = '\0';
	s->fake.conf = text;
	assert_int_equal(load(s), 0);
	text[CONF_MAX_SIZE] = '\n';
	text[CONF_MAX_SIZE + 1] = '\0';
	assert_int_equal(load(s), -EFBIG);
	assert_int_equal(err.line, 0);
	assert_contains(err.text, "128 KiB");
	scene_free(s);
	free(text);
}

static void expect_load(struct scene *s, int r, const char *words)
{
	assert_int_equal(load(s), r);
	assert_int_equal(err.line, 0);
	assert_contains(err.text, words);
}

static void owner_and_mode(void **state)
{
	static const mode_t bad[] = { 0664, 0646, 0666, 0622, 0777, 0602 };
	struct scene *s = scene_new(scene_desktop);
	struct fs_meta *meta = &s->fake.conf_meta;

	(void)state;
	assert_int_equal(load(s), 0);
	meta->mode = S_IFREG | 0600;
	assert_int_equal(load(s), 0);
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		meta->mode = S_IFREG | bad[i];
		expect_load(s, -EPERM, "writable by group or others");
	}
	meta->mode = S_IFREG | 0644;
	meta->uid = geteuid() + 1;
	expect_load(s, -EPERM, "must belong to root");
	meta->uid = geteuid();
	assert_int_equal(load(s), 0);
	meta->mode = S_IFIFO | 0644;
	expect_load(s, -EINVAL, "not a regular file");
	meta->mode = S_IFCHR | 0600;
	expect_load(s, -EINVAL, "not a regular file");
	scene_free(s);
}

static void unreadable_files(void **state)
{
	struct scene *s = scene_new(scene_desktop);

	(void)state;
	s->fake.conf = "[host]\n\0[claim a]\n";
	s->fake.conf_len = 18;
	expect_load(s, -EPROTO, "not a text file");
	s->fake.conf = NULL;
	expect_load(s, -ENOENT, "no such file");
	fake_fail(&s->fake, CONF_PATH, EIO, 1);
	expect_load(s, -EIO, "input/output error");
	scene_free(s);
}

/* ---- mutations: a wrong byte may be an error or another card, never "any card" */

#define LINE                                                           \
	"function = 0000:01:00.0 path=0000:00:01.0/00.0 id=10de:2484 " \
	"subsystem=1043:87c1 class=030000 serial=00-0a-f7-ff-ff-20-16-88"

/*
 * True if the text of the mutated line spells every part of the identity that was parsed.
 */
static bool spelled_out(const char *line, const struct identity *id)
{
	char part[160];
	struct str s = STR_ON(part);

	/* a domain may have more zeros in front */
	pci_path_add(&s, &id->path);
	if (!strcasestr(line, part) || !strcasestr(line, " path="))
		return false;
	snprintf(part, sizeof(part), " id=%04x:%04x", id->ids.vendor, id->ids.device);
	if (!strcasestr(line, part))
		return false;
	snprintf(part, sizeof(part), " subsystem=%04x:%04x", id->ids.subvendor,
		 id->ids.subdevice);
	if (!strcasestr(line, part))
		return false;
	snprintf(part, sizeof(part), " class=%06x", id->ids.class);
	return strcasestr(line, part);
}

static void judge_mutation(char *text, size_t at)
{
	const char *comment = strchr(text, '#');
	const bool asked = strstr(text, "serial=");

	if (conf_parse(text, &conf, &err) < 0) {
		assert_true(err.line >= 1 && err.line <= 4);
		assert_true(err.text[0]);
		return;
	}
	for (unsigned i = 0; i < conf.n_functions; i++) {
		const struct identity *id = &conf.functions[i].identity;

		for (char *c = text; *c; c++)
			if (*c == '\t')
				*c = ' ';
		assert_that(spelled_out(text, id),
			    "byte %zu: taken with parts missing: %s", at, text);
		assert_false(id->unique);
		/* only a comment can take the demand for a serial number away */
		assert_that(id->has_serial || !asked ||
				    (comment && comment < strstr(text, "00-0a-f7")),
			    "byte %zu: the serial number is lost: %s", at, text);
	}
}

static void mutated_bytes(void **state)
{
	static const char bytes[] =
		"\x01\t\n\r \"#*,-./0189:=?ADFXZ[]_adfxyz{\x7f\x80\xff";
	static const char file[] = "[claim gaming]\n" LINE "\n";
	char text[sizeof(file)];

	(void)state;
	for (size_t at = 0; file[at]; at++)
		for (const char *c = bytes; *c; c++) {
			strcpy(text, file);
			text[at] = *c;
			judge_mutation(text, at);
		}
}

static void dropped_and_doubled_bytes(void **state)
{
	static const char file[] = "[claim gaming]\n" LINE "\n";
	char text[sizeof(file) + 1];

	(void)state;
	for (size_t at = 0; file[at]; at++) {
		for (size_t len = 1; at + len < sizeof(file); len++) {
			memcpy(text, file, at);
			strcpy(text + at, file + at + len);
			judge_mutation(text, at);
		}
		memcpy(text, file, at + 1);
		strcpy(text + at + 1, file + at);
		judge_mutation(text, at);
	}
}

static void cut_files(void **state)
{
	static const char file[] = "[claim gaming]\n" LINE "\n";
	const char *serial = strstr(file, " serial");
	char text[sizeof(file)];

	(void)state;
	for (size_t len = 0; len < sizeof(file); len++) {
		memcpy(text, file, len);
		text[len] = '\0';
		if (conf_parse(text, &conf, &err) < 0)
			continue;
		/*
		 * a cut file is empty, or ends between words behind the last that is
		 * needed
		 */
		assert_that(conf.n_functions == 0
				    ? len == 0
				    : len >= sizeof(file) - 2 || file + len == serial ||
					      file + len == serial + 1,
			    "taken: %s", text);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(limits),
		cmocka_unit_test(size_limit),
		cmocka_unit_test(owner_and_mode),
		cmocka_unit_test(unreadable_files),
		cmocka_unit_test(mutated_bytes),
		cmocka_unit_test(dropped_and_doubled_bytes),
		cmocka_unit_test(cut_files),
	};

	return UNIT_RUN(tests);
}
