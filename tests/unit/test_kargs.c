/* SPDX-License-Identifier: GPL-2.0-or-later */
#include "unit.h"

#include "kargs.h"
#include "str.h"

static void assert_words(const char *cmdline, const char *expected)
{
	char word[64], all[512];
	struct str s = STR_ON(all);
	bool cut;

	for (const char *p = cmdline; kargs_next(&p, word, sizeof(word), &cut);) {
		str_join(&s, "<", word, ">", NULL);
		assert_false(cut);
	}
	assert_string_equal(all, expected);
}

static void splits_as_the_kernel(void **state)
{
	(void)state;
	assert_words("", "");
	assert_words(" \t\n", "");
	assert_words("a b", "<a><b>");
	assert_words("  a\tb\n", "<a><b>");
	assert_words("a=\"b c\" d", "<a=b c><d>");
	assert_words("\"a=b c\" d", "<a=b c><d>");
	assert_words("a=\"b c", "<a=b c>");
	assert_words("\"\" a", "<><a>");
	assert_words("a\"b\"c", "<abc>");
	assert_words("a\vb\fc\rd", "<a><b><c><d>");
}

static void long_words_are_cut_and_told(void **state)
{
	char word[4];
	const char *p = "abcdef gh";
	bool cut;

	(void)state;
	assert_true(kargs_next(&p, word, sizeof(word), &cut));
	assert_true(cut);
	assert_string_equal(word, "abc");
	assert_true(kargs_next(&p, word, sizeof(word), &cut));
	assert_false(cut);
	assert_string_equal(word, "gh");
	assert_false(kargs_next(&p, word, sizeof(word), &cut));
}

static const struct {
	const char *cmdline;
	enum kargs_mode mode;
	const char *names;
} said[] = {
	{ "", KARGS_ON, "" },
	{ "quiet splash", KARGS_ON, "" },
	{ "vfio_claim=on", KARGS_ON, "" },
	{ "vfio_claim=off", KARGS_OFF, "" },
	{ "vfio-claim=off", KARGS_OFF, "" },
	{ "\"vfio_claim=off\"", KARGS_OFF, "" },
	{ "vfio_claim=\"off\"", KARGS_OFF, "" },
	{ "vfio_claim=\"off", KARGS_OFF, "" },
	{ "vfio_claim=dry-run", KARGS_DRY_RUN, "" },
	{ "vfio_claim=gaming", KARGS_ON, "gaming" },
	{ "vfio_claim=gaming,work", KARGS_ON, "gaming,work" },
	{ "vfio_claim=a vfio_claim=b", KARGS_ON, "b" },
	{ "vfio_claim=a vfio_claim=on", KARGS_ON, "" },
	{ "vfio_claim=dry-run vfio_claim=a", KARGS_ON, "a" },
	/* off wins from anywhere */
	{ "vfio_claim=off vfio_claim=on", KARGS_OFF, "" },
	{ "vfio_claim=gaming x vfio_claim=off", KARGS_OFF, "" },
	{ "vfio-claim=off vfio_claim=dry-run", KARGS_OFF, "" },
	{ "vfio_claim= vfio_claim=off", KARGS_OFF, "" },
	/* what is not understood claims nothing */
	{ "vfio_claim=", KARGS_BAD, "" },
	{ "vfio_claim=a,off", KARGS_BAD, "" },
	{ "vfio_claim=on,a", KARGS_BAD, "" },
	{ "vfio_claim=a,dry-run,b", KARGS_BAD, "" },
	{ "vfio_claim=a vfio_claim=", KARGS_BAD, "" },
	{ "vfio_claim= vfio_claim=a", KARGS_ON, "a" },
	/* not ours */
	{ "vfio_claims=off", KARGS_ON, "" },
	{ "xvfio_claim=off", KARGS_ON, "" },
	{ "VFIO_CLAIM=off", KARGS_ON, "" },
	{ "vfio_claim.x=off", KARGS_ON, "" },
	{ "root=\"a vfio_claim=off\"", KARGS_ON, "" },
};

static void choices(void **state)
{
	struct kargs_choice choice;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(said); i++) {
		kargs_choose(said[i].cmdline, &choice);
		assert_that(choice.mode == said[i].mode, "'%s': mode %d", said[i].cmdline,
			    choice.mode);
		assert_string_equal(choice.names, said[i].names);
		if (choice.mode == KARGS_OFF || choice.mode == KARGS_BAD)
			assert_true(choice.detail[0]);
	}
}

static void rescue_words_mean_off(void **state)
{
	static const char *const rescue[] = {
		"single",
		"emergency",
		"rescue",
		"recovery",
		"s",
		"S",
		"1",
		"systemd.unit=rescue.target",
		"systemd.unit=emergency.target",
		"rd.systemd.unit=emergency.target",
		"systemd.unit=rescue",
		"systemd.unit=emergency",
		"systemd.unit=runlevel1.target",
		"rd.systemd.unit=rescue",
		"rd.systemd.unit=runlevel1.target",
		"a single b",
		"vfio_claim=on single",
		"single vfio_claim=gaming",
		"\"single\"",
	};
	static const char *const normal[] = {
		"singles",
		"nosingle",
		"root=single",
		"systemd.unit=multi-user.target",
		"systemd.unit=rescue.targets",
		"systemd.unit=runlevel1",
		"systemd.unit=runlevel3.target",
		"runlevel1.target",
		"emergency=1",
		"12",
		"x=\"a single b\"",
		"--1",
	};
	struct kargs_choice choice;

	(void)state;
	for (size_t i = 0; i < ARRAY_SIZE(rescue); i++) {
		kargs_choose(rescue[i], &choice);
		assert_that(choice.mode == KARGS_OFF, "'%s' is not off", rescue[i]);
		assert_contains(choice.detail, "the kernel command line says ");
	}
	for (size_t i = 0; i < ARRAY_SIZE(normal); i++) {
		kargs_choose(normal[i], &choice);
		assert_that(choice.mode == KARGS_ON, "'%s' is not on", normal[i]);
	}
}

static void too_long_a_list_is_bad(void **state)
{
	struct kargs_choice choice;
	char cmdline[KARGS_WORD_MAX * 2];

	(void)state;
	strcpy(cmdline, "vfio_claim=");
	memset(cmdline + 11, 'a', KARGS_WORD_MAX - 12);
	cmdline[KARGS_WORD_MAX - 1] = '\0';
	kargs_choose(cmdline, &choice);
	assert_int_equal(choice.mode, KARGS_ON);
	assert_int_equal(strlen(choice.names), KARGS_WORD_MAX - 12);
	strcat(cmdline, "a");
	kargs_choose(cmdline, &choice);
	assert_int_equal(choice.mode, KARGS_BAD);
	assert_contains(choice.detail, "too long");
	/* and off behind it is still seen */
	strcat(cmdline, " vfio_claim=off");
	kargs_choose(cmdline, &choice);
	assert_int_equal(choice.mode, KARGS_OFF);
}

static void long_words_of_others_do_no_harm(void **state)
{
	struct kargs_choice choice;
	char cmdline[KARGS_WORD_MAX * 3] = "vfio_claim=gaming ";
	size_t len = strlen(cmdline);

	(void)state;
	memset(cmdline + len, 'x', KARGS_WORD_MAX * 2);
	kargs_choose(cmdline, &choice);
	assert_int_equal(choice.mode, KARGS_ON);
	assert_string_equal(choice.names, "gaming");
}

static void names_match_whole(void **state)
{
	struct kargs_choice choice = { .mode = KARGS_ON };

	(void)state;
	assert_true(kargs_names(&choice, "any"));
	strcpy(choice.names, "gaming,work");
	assert_true(kargs_names(&choice, "gaming"));
	assert_true(kargs_names(&choice, "work"));
	assert_false(kargs_names(&choice, "game"));
	assert_false(kargs_names(&choice, "gamingx"));
	assert_false(kargs_names(&choice, "orking"));
	assert_false(kargs_names(&choice, "wor"));
	strcpy(choice.names, ",a,,b,");
	assert_true(kargs_names(&choice, "a"));
	assert_true(kargs_names(&choice, "b"));
	assert_false(kargs_names(&choice, "c"));
}

static void reserved_words(void **state)
{
	(void)state;
	assert_true(kargs_reserved("off"));
	assert_true(kargs_reserved("on"));
	assert_true(kargs_reserved("dry-run"));
	assert_false(kargs_reserved("offer"));
	assert_false(kargs_reserved("OFF"));
	assert_false(kargs_reserved(""));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(splits_as_the_kernel),
		cmocka_unit_test(long_words_are_cut_and_told),
		cmocka_unit_test(choices),
		cmocka_unit_test(rescue_words_mean_off),
		cmocka_unit_test(too_long_a_list_is_bad),
		cmocka_unit_test(long_words_of_others_do_no_harm),
		cmocka_unit_test(names_match_whole),
		cmocka_unit_test(reserved_words),
	};

	return UNIT_RUN(tests);
}
